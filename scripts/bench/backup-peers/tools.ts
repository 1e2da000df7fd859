import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeIdentity, encodeRecipient, generateIdentity } from '../../../src/repository/age/keys.ts';
import { cacheSubdirectory } from '../../fixtures/cache.ts';
import { run } from '../../fixtures/run.ts';

/** One way to back a directory up, in a directory of its own. */
export interface Tool {
  name: string;
  /** Makes an empty repository. */
  prepare(home: string): Promise<void>;
  /** What is measured; run with `environment` added. */
  command(home: string, tree: string): string[];
  environment?(home: string): Record<string, string>;
  repository(home: string): string;
  /** Brings the last backup back into a directory that is not there. */
  restore?(home: string, to: string): string[];
  /** Checks the repository, with or without every piece of content. */
  verify?(home: string, readData: boolean): string[];
}

const password = { RESTIC_PASSWORD: 'bench', BORG_PASSPHRASE: 'bench' };

/** Sealed to a recipient, or in the clear. */
export function dockerctl(encrypted: boolean): Tool {
  const program = (home: string) => [
    join(process.cwd(), 'bin/dockerctl'),
    '-f',
    join(home, 'dockerctl.yaml'),
  ];
  const withKey = (home: string) => (encrypted ? ['--identity', join(home, 'key')] : []);
  return {
    name: encrypted ? 'dockerctl' : 'dockerctl, plain',
    async prepare(home) {
      mkdirSync(home, { recursive: true, mode: 0o700 });
    },
    command(home, tree) {
      const sealing = encrypted ? { recipients: [encodeRecipient(identity)] } : {};
      const backup = { repository: this.repository(home), ...sealing, sources: { tree: { paths: [tree] } } };
      const text = JSON.stringify({ name: 'bench', 'x-dockerctl': { backup } });
      writeFileSync(join(home, 'dockerctl.yaml'), text, { mode: 0o600 });
      writeFileSync(join(home, 'key'), encodeIdentity(identity), { mode: 0o600 });
      return [...program(home), 'backup'];
    },
    environment: (home) => ({ DOCKERCTL_STATE_DIR: join(home, 'state') }),
    repository: (home) => join(home, 'repository'),
    restore: (home, to) => [...program(home), 'restore', 'latest', '-y', '--to', to, ...withKey(home)],
    verify: (home, readData) => [
      ...program(home),
      'backup',
      'verify',
      ...(readData ? ['--read-data', ...withKey(home)] : []),
    ],
  };
}

const identity = generateIdentity();

export function restic(program: string[], name: string): Tool {
  const global = (home: string) => [...program, '-q', '-r', join(home, 'repository')];
  const cached = (home: string) => [...global(home), '--cache-dir', join(home, 'cache')];
  return {
    name,
    async prepare(home) {
      mkdirSync(home, { recursive: true });
      await run([...global(home), '--no-cache', 'init'], password);
    },
    command: (home, tree) => [...cached(home), 'backup', tree],
    environment: () => password,
    repository: (home) => join(home, 'repository'),
    restore: (home, to) => [...cached(home), 'restore', 'latest', '--target', to],
    verify: (home, readData) => [...cached(home), 'check', ...(readData ? ['--read-data'] : [])],
  };
}

export const borg: Tool = {
  name: 'borg',
  async prepare(home) {
    mkdirSync(home, { recursive: true });
    await run(
      ['borg', 'init', '--encryption=repokey-blake2', join(home, 'repository')],
      this.environment?.(home),
    );
  },
  command: (home, tree) => [
    'borg',
    'create',
    '--compression=zstd,3',
    `${join(home, 'repository')}::{now:%s%f}`,
    tree,
  ],
  environment: (home) => ({
    ...password,
    BORG_BASE_DIR: join(home, 'base'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  }),
  repository: (home) => join(home, 'repository'),
};

/** What the original did: tar, lrzip, test. */
export const legacy: Tool = {
  name: 'tar + lrzip',
  async prepare(home) {
    mkdirSync(join(home, 'repository'), { recursive: true });
  },
  command: (home, tree) => {
    const archive = join(home, 'repository', 'backup.tar');
    const script = `tar -C / -cf ${archive} ${tree.slice(1)} && lrzip -q -f -L2 ${archive} -o ${archive}.lrz && lrzip -q -t ${archive}.lrz && rm ${archive}`;
    return ['sh', '-c', script];
  },
  repository: (home) => join(home, 'repository'),
};

/** Debian trixie's restic, from a root of its own; the dynamic linker there runs it without a chroot. */
export async function trixieRestic(): Promise<string[]> {
  const root = join(cacheSubdirectory('trixie-restic'), 'root');
  if (!existsSync(root)) {
    const fresh = `${root}.new`;
    rmSync(fresh, { recursive: true, force: true });
    await run([
      'debootstrap',
      '--variant=minbase',
      '--include=restic',
      'trixie',
      fresh,
      'http://deb.debian.org/debian',
    ]);
    renameSync(fresh, root);
  }
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  return [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, join(root, 'usr/bin/restic')];
}

export function versionOf(command: readonly string[]): string {
  const [program = '', ...args] = command;
  return execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0] ?? '';
}

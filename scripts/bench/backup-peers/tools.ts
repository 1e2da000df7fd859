import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
}

const password = { RESTIC_PASSWORD: 'bench', BORG_PASSPHRASE: 'bench' };

/** Sealed to a recipient, or in the clear. */
export function dockerctl(encrypted: boolean): Tool {
  return {
    name: encrypted ? 'dockerctl' : 'dockerctl, plain',
    async prepare(home) {
      mkdirSync(home, { recursive: true, mode: 0o700 });
    },
    command(home, tree) {
      const file = join(home, 'dockerctl.yaml');
      const recipients = encrypted ? [recipient] : [];
      const backup = { repository: this.repository(home), recipients, sources: { tree: { paths: [tree] } } };
      writeFileSync(file, JSON.stringify({ name: 'bench', 'x-dockerctl': { backup } }), { mode: 0o600 });
      return [join(process.cwd(), 'bin/dockerctl'), '-f', file, 'backup'];
    },
    environment: (home) => ({ DOCKERCTL_STATE_DIR: join(home, 'state') }),
    repository: (home) => join(home, 'repository'),
  };
}

/** Its identity was thrown away. */
const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

export function restic(program: string[], name: string): Tool {
  const global = (home: string) => [...program, '-q', '--no-cache', '-r', join(home, 'repository')];
  return {
    name,
    async prepare(home) {
      mkdirSync(home, { recursive: true });
      await run([...global(home), 'init'], password);
    },
    command: (home, tree) => [
      ...global(home).filter((word) => word !== '--no-cache'),
      '--cache-dir',
      join(home, 'cache'),
      'backup',
      tree,
    ],
    environment: () => password,
    repository: (home) => join(home, 'repository'),
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

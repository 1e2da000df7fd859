import fs, { mkdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import type { BackupSettings } from '../../src/deployment/backup-settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { RestorePorts } from '../../src/restore/restore.ts';
import type { Context } from '../../src/support/context.ts';
import { silent } from '../../src/support/progress.ts';
import { fakeServices } from './fake-services.ts';
import { entry, MemoryRepository, sorted } from './memory-repository.ts';

/**
 * A small restore in a process of its own that is killed at its Nth file system call, as `killed-restore.ts DIR N`:
 * three trees, one of them new where a directory above is new too, one with something that backups leave out.
 */
export function makeLive(directory: string): void {
  for (const name of ['a', 'b']) {
    mkdirSync(join(directory, 'live', name, 'old'), { recursive: true });
    writeFileSync(join(directory, 'live', name, 'old', 'file'), `${name} lives`);
  }
  mkdirSync(join(directory, 'state'));
}

export function portsFor(directory: string): RestorePorts {
  const repository = new MemoryRepository();
  const sources = ['a', 'b', 'new/c'].map((name) => {
    const path = join(directory, 'live', name);
    const root = path.slice(1);
    const entries = sorted([
      entry('directory', root, { mode: 0o750 }),
      repository.file(`${root}/file`, `${name} restored`),
      entry('directory', `${root}/sub`),
      entry('symlink', `${root}/sub/link`, { target: '../file' }),
    ]);
    return { name: name.replace('/', '-'), entries, origin: { paths: [path] } };
  });
  const mounts = [{ source: join(directory, 'live'), target: '/data' }];
  const services = fakeServices([{ name: 'web', mounts }]);
  const filter = { include: [], exclude: ['/old/'], oneFileSystem: false, excludeCaches: false };
  const declared = { name: 'a', title: 'a', full: false, kind: 'paths', paths: [], filter };
  const backup = { sources: [declared] } as unknown as BackupSettings;
  const host = {
    engine: {} as Engine,
    services,
    deployment: { name: 'test', release: '1', volumes: [], backup },
  };
  return { repository: repository.take(sources), host };
}

export function contextFor(directory: string): Context {
  return {
    progress: silent,
    signal: new AbortController().signal,
    now: () => new Date(),
    stateDir: join(directory, 'state'),
  };
}

function killAtCall(number: number): void {
  let calls = 0;
  for (const name of [
    'mkdirSync',
    'closeSync',
    'fsyncSync',
    'rmdirSync',
    'symlinkSync',
    'chmodSync',
  ] as const) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    Object.assign(fs, {
      [name](...args: unknown[]) {
        if (++calls === number) process.kill(process.pid, 'SIGKILL');
        return original(...args);
      },
    });
  }
  syncBuiltinESMExports();
}

if (import.meta.main) {
  const [directory = '', number = ''] = process.argv.slice(2);
  const { prepareRestore } = await import('../../src/restore/restore.ts');
  const ports = portsFor(directory);
  const request = { snapshot: 'latest', only: [], full: false, to: undefined };
  const prepared = await prepareRestore(request, ports, contextFor(directory));
  killAtCall(Number(number));
  await prepared.run();
}

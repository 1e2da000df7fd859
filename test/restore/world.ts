import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupSettings, FileFilter, Source } from '../../src/deployment/backup-settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Entry } from '../../src/repository/entry.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type PreparedRestore, prepareRestore, type RestoreRequest } from '../../src/restore/restore.ts';
import type { Context } from '../../src/support/context.ts';
import { silent } from '../../src/support/progress.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type FakeServices, fakeServices } from './fake-services.ts';
import { entry, MemoryRepository, sorted, type TestSource } from './memory-repository.ts';

const root = temporaryDirectory();
let count = 0;

/** A host of its own: a directory with what lives, a state directory, services, and a repository. */
export class World {
  readonly directory = join(root, String(count++));
  readonly live = join(this.directory, 'live');
  readonly repository = new MemoryRepository();
  services: FakeServices = fakeServices([]);
  readonly context: Context;
  readonly interruption = new AbortController();
  /** As the deployment file has them. */
  readonly sources: Source[] = [];

  constructor() {
    mkdirSync(this.live, { recursive: true });
    const stateDir = join(this.directory, 'lib', 'state');
    this.context = { progress: silent, signal: this.interruption.signal, now: () => new Date(), stateDir };
  }

  /** Entries of a tree at `live/NAME`. */
  tree(name: string, make: (path: string) => Entry[]): TestSource {
    const path = join(this.live, name);
    return { name, entries: sorted(make(path.slice(1))), origin: { paths: [path] } };
  }

  get ports() {
    const backup = { sources: this.sources } as unknown as BackupSettings;
    const deployment = { name: 'test', release: '1', volumes: [], backup };
    return { host: { engine: {} as Engine, services: this.services, deployment } };
  }

  prepare(repository: Repository, request: Partial<RestoreRequest> = {}): Promise<PreparedRestore> {
    const whole = { snapshot: 'latest', only: [], full: false, to: undefined, ...request };
    return prepareRestore(whole, { ...this.ports, repository }, this.context);
  }

  hasTraces(): boolean {
    const journals = join(this.context.stateDir, 'restores');
    const left = execFileSync('find', [this.directory, '-name', '.dockerctl-restore-*'], {
      encoding: 'utf8',
    });
    return left !== '' || (existsSync(journals) && readdirSync(journals).length > 0);
  }
}

/** A filter that leaves out nothing. */
export const wholeTree: FileFilter = { include: [], exclude: [], oneFileSystem: false, excludeCaches: false };

/** A source of paths as the deployment file says it. */
export function declared(
  name: string,
  { full = false, filter = wholeTree }: { full?: boolean; filter?: FileFilter },
): Source {
  return { name, title: name, full, kind: 'paths', paths: [], filter };
}

/** A source with a file, a directory and a link, for `live/NAME`. */
export function simpleTree(world: World, name: string, text: string): TestSource {
  return world.tree(name, (path) => [
    entry('directory', path),
    entry('directory', `${path}/sub`),
    world.repository.file(`${path}/sub/file`, text),
    entry('symlink', `${path}/link`, { target: '/etc' }),
  ]);
}

/** A directory `live/NAME` with a file in it. */
export function makeLive(world: World, name: string): string {
  const path = join(world.live, name);
  mkdirSync(join(path, 'old'), { recursive: true });
  writeFileSync(join(path, 'old', 'file'), 'what lives');
  return path;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { createBackup } from '../../src/backup/create.ts';
import { readDeployment } from '../../src/deployment/read.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import { loadFromArchives } from '../../src/lifecycle/load-missing.ts';
import { startServices } from '../../src/lifecycle/services.ts';
import { openCatalog } from '../../src/releases/catalog/catalog.ts';
import { openOrCreateRepository, openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { Snapshot } from '../../src/repository/snapshot/snapshot.ts';
import { prepareRestore, type RestorePorts } from '../../src/restore/restore.ts';
import { deploymentServices } from '../../src/restore/services/deployment-services.ts';
import type { Context } from '../../src/support/context.ts';
import { testEngine } from '../support/engine.ts';
import { quietContext } from '../support/save-directory.ts';

export const everything = { snapshot: 'latest', only: [], full: false, to: undefined };

/** A host whose services run, and the repository that it backs up to. */
export interface RunningHost {
  host: Host;
  repository: Repository;
  ports: RestorePorts;
}

/** Starts every service of a deployment that is written to `directory`, with its repository beside it. */
export async function startHost(
  directory: string,
  deployment: string,
  { engine, context }: Pick<Host, 'engine' | 'context'>,
): Promise<RunningHost> {
  writeFileSync(join(directory, 'dockerctl.yaml'), deployment, { mode: 0o600 });
  const host = await hostAt(directory, engine, context);
  const repository = await openOrCreateRepository(join(directory, 'repository'), context);
  await startServices(['all'], host);
  return { host, repository, ports: portsOf(host, repository) };
}

/** Backs everything up, which must succeed without a warning. */
export async function backUpAll(
  { deployment, engine, context }: Host,
  repository: Repository,
): Promise<Snapshot> {
  const options = { engine, repository, full: true, host: 'here' };
  const { snapshot } = await createBackup(deployment, options, context);
  const warnings = snapshot.sources.flatMap((source) => source.warnings);
  assert.equal([snapshot.complete, warnings], [true, []]);
  return snapshot;
}

/** The host that a deployment file describes. */
async function hostAt(directory: string, engine: Engine, context: Context): Promise<Host> {
  const deployment = await readDeployment(join(directory, 'dockerctl.yaml'), { environment: {} });
  const loadImages = loadFromArchives(deployment, engine, openCatalog(context.stateDir), context);
  return { deployment, engine, context, loadImages };
}

export function portsOf(host: Host, repository: Repository): RestorePorts {
  const { engine, deployment } = host;
  return { repository, host: { engine, services: deploymentServices(host), deployment } };
}

/** The same repository, but for what it hands out as the content of one file. */
export function spoiling(
  repository: Repository,
  path: string,
  spoil: (content: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Repository {
  return changed(repository, {
    content(snapshot, entry) {
      const content = repository.content(snapshot, entry);
      return entry.path === path ? spoil(content) : content;
    },
  });
}

/** A text replaced in a content that is small enough for memory. */
export function replacing(
  text: string,
  other: string,
): (content: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  return async function* (content) {
    const all = Buffer.concat(await Array.fromAsync(content)).toString('latin1');
    assert.ok(all.includes(text), text);
    yield Buffer.from(
      all.replace(text, () => other),
      'latin1',
    );
  };
}

/** The same repository with other methods. */
export function changed(repository: Repository, methods: Partial<Repository>): Repository {
  return new Proxy(repository, {
    get(target, key) {
      const value = key in methods ? methods[key as keyof Repository] : target[key as keyof Repository];
      return typeof value === 'function' ? value.bind(target as never) : value;
    },
  });
}

/**
 * A restore in a process of its own, `rebuilt-host.ts DIR PATH`, that is killed when it comes to this file of a dump.
 */
if (import.meta.main) {
  const [directory = '', path = ''] = process.argv.slice(2);
  const { engine } = await testEngine();
  const context = quietContext(join(directory, 'state'));
  const host = await hostAt(directory, engine, context);
  const repository = spoiling(await openRepository(join(directory, 'repository'), context), path, () => {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('still here');
  });
  const prepared = await prepareRestore(everything, portsOf(host, repository), context);
  await prepared.run();
}

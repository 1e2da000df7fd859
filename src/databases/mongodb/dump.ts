import type { Context } from '../../support/context.ts';
import { withDeadline } from '../../support/deadline.ts';
import { FailedError } from '../../support/errors.ts';
import { commandOf } from '../container/environment.ts';
import { outputOf, run } from '../container/program.ts';
import type { DatabaseServer, DumpFile, DumpOptions } from '../databases.ts';
import { descriptionFile, type ServerDescription } from '../description.ts';
import { accountOf, optionOf } from './client.ts';
import { wholeArchive } from './whole-archive.ts';

/** The second also says what was written while it was made; whoever loads it must be told. */
export const archivePath = 'dump.archive';
export const archiveWithOplogPath = 'dump-with-oplog.archive';

/**
 * What `mongodump` writes, then `server.json`. One collection after the other, so that one that stays the same is the
 * same bytes. A member of a replica set is saved with what was written meanwhile (`--oplog`), so that all of it is of
 * one moment; of another server each collection is of its own.
 */
export async function* dump(
  server: DatabaseServer,
  options: DumpOptions,
  context: Context,
): AsyncGenerator<DumpFile> {
  const purpose = `dumping mongodb in ${server.container}`;
  const limited = { ...context, signal: withDeadline(context.signal, purpose, options.timeout) };
  const account = await accountOf(server, options.user, limited);
  const oplog = optionOf(await commandOf(server), '--replSet') !== undefined;
  const dumper = {
    command: [
      'mongodump',
      '--archive',
      '--quiet',
      '--numParallelCollections=1',
      ...(oplog ? ['--oplog'] : []),
      ...configured(account.options),
    ],
    environment: { LC_ALL: 'C' },
    purpose,
    signal: limited.signal,
    input: account.config,
  };
  const content = { serverVersion: undefined, databases: new Map() };
  const path = oplog ? archiveWithOplogPath : archivePath;
  yield { path, content: wholeArchive(outputOf(server, dumper, options.warn), purpose, content) };
  yield descriptionFile(await describe(server, limited));
}

/** Options of an account whose password is given on standard input. */
export function configured(account: readonly string[]): string[] {
  return ['--config=/dev/stdin', ...account];
}

const defaultDirectory = '/data/db';

/** @throws {FailedError} when the container has no mongod that tells its version */
export async function describe(server: DatabaseServer, { signal }: Context): Promise<ServerDescription> {
  const purpose = `asking mongod in ${server.container} for its version`;
  const { stdout } = await run(server, { command: ['mongod', '--version'], purpose, signal });
  const version = /^db version v(\d+\.\d+\S*)/m.exec(stdout)?.[1];
  if (version === undefined) throw new FailedError(`${purpose}: it tells none`);
  const data = optionOf(await commandOf(server), '--dbpath') ?? defaultDirectory;
  return { product: 'MongoDB', version, data };
}

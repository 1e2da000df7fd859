import type { Context } from '../../support/context.ts';
import { withDeadline } from '../../support/deadline.ts';
import { FailedError } from '../../support/errors.ts';
import { outputOf } from '../container/program.ts';
import type { DatabaseServer, DumpFile, DumpOptions } from '../databases.ts';
import { descriptionFile } from '../description.ts';
import { encodedName } from '../encoded-name.ts';
import { type ScriptKind, wholeScript } from '../script.ts';
import { only } from '../text.ts';
import { type Client, connectAsking, type PostgresProgram, program, terminate } from './client.ts';
import { creationQuery, creationScripts } from './creation-script.ts';
import { isDerivedName } from './derived-name.ts';
import { describedBy, descriptionQuery } from './describe.ts';
import { clusterScript, databaseScript } from './script.ts';

/**
 * Dumps roles and tablespaces, then each database that can be connected to but the server's own two templates:
 * `cluster/globals.sql`, then per database `create.sql` and `dump.sql`, and `server.json`. Plain SQL: it can be loaded
 * by hand, it ends with a marker that proves it whole, and an unchanged database gives the same bytes, so that it is
 * stored once.
 */
export async function* dump(
  server: DatabaseServer,
  options: DumpOptions,
  context: Context,
): AsyncGenerator<DumpFile> {
  const purpose = `dumping postgres in ${server.container}`;
  const limited = { ...context, signal: withDeadline(context.signal, purpose, options.timeout) };
  const question = `${descriptionQuery}\n${creationQuery}`;
  const { client, answer } = await connectAsking(question, server, options.user, limited);
  const [version = '', data = '', ...rows] = answer;
  const { scripts, closed } = creationScripts(rows);
  const chosen = chosenDatabases(client, scripts, options.databases ?? []);
  if (options.databases === undefined || options.databases.length === 0) tellOfClosed(closed, options.warn);
  yield { path: globalsPath, content: dumpGlobals(client, limited, options.warn) };
  for (const [name, script] of chosen) {
    yield { path: `${directoryOf(name)}/create.sql`, content: only(script) };
    yield {
      path: `${directoryOf(name)}/dump.sql`,
      content: dumpDatabase(client, name, limited, options.warn),
    };
  }
  yield descriptionFile(describedBy([version, data]));
}

export const globalsPath = 'cluster/globals.sql';

/** Roles and tablespaces, with the hashes of passwords. */
export function dumpGlobals(
  client: Client,
  context: Context,
  warn: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  const purpose = `dumping roles of postgres in ${client.server.container}`;
  const command = ['pg_dumpall', '--globals-only', '--no-password'];
  const dumper = program(client, purpose, command, client.database, context.signal);
  return dumped(client, dumper, clusterScript, context, warn);
}

function dumpDatabase(
  client: Client,
  name: string,
  context: Context,
  warn: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  const purpose = `dumping database ${name} of postgres in ${client.server.container}`;
  const command = ['pg_dump', '--format=plain', '--no-password', '--lock-wait-timeout=600s'];
  return dumped(
    client,
    program(client, purpose, command, name, context.signal),
    databaseScript,
    context,
    warn,
  );
}

async function* dumped(
  client: Client,
  dumper: PostgresProgram,
  kind: ScriptKind,
  context: Context,
  warn: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  let finished = false;
  try {
    yield* wholeScript(outputOf(client.server, dumper, warn), kind, dumper.purpose);
    finished = true;
  } finally {
    if (!finished) await terminate(client, dumper, context);
  }
}

/** What a restore has replaced and keeps is closed, and rightly in no dump. */
function tellOfClosed(closed: readonly string[], warn: (message: string) => void): void {
  for (const name of closed.filter((one) => !isDerivedName(one)))
    warn(`database ${name} takes no connections, and is not in the dump`);
}

/** In the order of their directories. */
function chosenDatabases(
  client: Client,
  scripts: ReadonlyMap<string, string>,
  chosen: readonly string[],
): [name: string, script: string][] {
  const missing = chosen.filter((name) => !scripts.has(name));
  if (missing.length > 0) {
    throw new FailedError(`postgres in ${client.server.container} has no database ${missing.join(', ')}`, {
      facts: { missing, present: [...scripts.keys()] },
    });
  }
  return [...scripts]
    .filter(([name]) => chosen.length === 0 || chosen.includes(name))
    .toSorted(([a], [b]) => (directoryOf(a) < directoryOf(b) ? -1 : 1));
}

/** Where a dump holds the database of this name. */
export function directoryOf(name: string): string {
  return `databases/${encodedName(name, '_-')}`;
}

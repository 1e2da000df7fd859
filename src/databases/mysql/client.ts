import type { Context } from '../../support/context.ts';
import { environmentOf, toldIn } from '../container/environment.ts';
import { type ContainerProgram, run, saysNotThere } from '../container/program.ts';
import type { DatabaseServer } from '../databases.ts';
import { only } from '../text.ts';

/** How we speak to the MariaDB or MySQL server of a container: as one who may do everything, over its own socket. */
export interface Client extends Login {
  product: 'MariaDB' | 'MySQL';
  version: string;
}

/** The same before the server has said what it is. */
interface Login {
  server: DatabaseServer;
  user: string;
  password: string | undefined;
  /**
   * `mariadb` and `mariadb-dump`, or `mysql` and `mysqldump`: newer images have the former only, older ones the latter.
   */
  programs: Programs;
}

interface Programs {
  client: string;
  dumper: string;
}

const families: Programs[] = [
  { client: 'mariadb', dumper: 'mariadb-dump' },
  { client: 'mysql', dumper: 'mysqldump' },
];

/**
 * Finds the account that may do everything: `root`, with the password that the container was told in
 * `MARIADB_ROOT_PASSWORD` or `MYSQL_ROOT_PASSWORD`, or in the file that these name with `_FILE`, else without one.
 * Passwords go in the environment of the client.
 *
 * @param user another account; its password is `MARIADB_PASSWORD` or `MYSQL_PASSWORD` where the container's user is
 * that one
 * @throws {FailedError} when none gets in
 */
export async function connect(
  server: DatabaseServer,
  user: string | undefined,
  context: Context,
): Promise<Client> {
  const variables = await environmentOf(server, 'mysql');
  const account = user ?? 'root';
  const password = await passwordOf(account, variables, server, context);
  let failure: { error: unknown; missing: boolean } | undefined;
  for (const programs of families) {
    for (const tried of new Set([password, undefined])) {
      try {
        return await greeted({ server, user: account, password: tried, programs }, context);
      } catch (error) {
        context.signal.throwIfAborted();
        const missing = saysNotThere((error as { facts?: { status?: number } }).facts?.status);
        // The first says most: what comes later was only tried because of it.
        if (failure === undefined || (failure.missing && !missing)) failure = { error, missing };
        if (missing) break;
      }
    }
  }
  throw failure?.error;
}

async function greeted(login: Login, context: Context): Promise<Client> {
  const [[version = ''] = []] = await query(login, 'SELECT VERSION()', context);
  return { ...login, version, product: version.includes('MariaDB') ? 'MariaDB' : 'MySQL' };
}

/** Runs statements one by one, the first error ends it; returns every row's columns. NULL is the text `NULL`. */
export async function query(client: Login, sql: string, context: Context): Promise<string[][]> {
  const purpose = `asking ${client.programs.client} in ${client.server.container}`;
  const command = [client.programs.client, ...clientOptions, '--skip-column-names'];
  const { stdout } = await run(client.server, program(client, purpose, command, context.signal), only(sql));
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => line.split('\t').map(unescaped));
}

/** Its own commands (`\!` runs programs) are off; an error names the line. */
export const clientOptions = ['--batch', '--binary-mode', '--default-character-set=utf8mb4'];

/** A program of the family, with its account in the environment or before everything else. */
export function program(
  client: Login,
  purpose: string,
  [name = '', ...options]: readonly string[],
  signal: AbortSignal,
): ContainerProgram {
  return {
    purpose,
    command: [name, `--user=${client.user}`, ...options],
    signal,
    environment: { LC_ALL: 'C', ...(client.password !== undefined && { MYSQL_PWD: client.password }) },
  };
}

/** A name as we ask for it, with `HEX`: whatever is in it, its row is one line. */
export function fromHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('utf8');
}

/** A name as SQL writes it. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

async function passwordOf(
  account: string,
  variables: ReadonlyMap<string, string>,
  server: DatabaseServer,
  context: Context,
): Promise<string | undefined> {
  for (const product of ['MARIADB', 'MYSQL']) {
    const isOther = account !== 'root' && variables.get(`${product}_USER`) === account;
    const name = isOther ? `${product}_PASSWORD` : `${product}_ROOT_PASSWORD`;
    if (!isOther && account !== 'root') continue;
    const value = await toldIn(name, variables, server, context);
    if (value !== undefined) return value;
  }
  return undefined;
}

const escapes: Record<string, string> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function unescaped(field: string): string {
  return field.replace(/\\([nt0\\])/g, (_, letter: string) => escapes[letter]!);
}

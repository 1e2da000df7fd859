import { basename } from 'node:path/posix';
import type { Context } from '../../support/context.ts';
import { FailedError } from '../../support/errors.ts';
import { commandOf, environmentOf, toldIn } from '../container/environment.ts';
import { type ContainerProgram, run, saysNotThere } from '../container/program.ts';
import type { DatabaseServer } from '../databases.ts';

/** How we speak to the Redis or Valkey server of a container. */
export interface Client {
  server: DatabaseServer;
  /** `redis-cli` or `valkey-cli`, and how it finds the server. */
  command: readonly string[];
  password: string | undefined;
}

const passwordVariables = ['REDISCLI_AUTH', 'REDIS_PASSWORD', 'VALKEY_PASSWORD'];
const programs = ['redis-cli', 'valkey-cli'];

/**
 * Finds the client program, and the password: in the container's environment (`REDISCLI_AUTH`, `REDIS_PASSWORD`,
 * `VALKEY_PASSWORD`, or the file that one of these names with `_FILE`), or where its command says `--requirepass`; the
 * port where that says `--port`.
 *
 * @param socket path inside the container, of a server that has no port
 * @throws {FailedError} when it does not answer
 */
export async function connect(server: DatabaseServer, context: Context, socket?: string): Promise<Client> {
  const password = await passwordOf(server, context);
  const port = (await optionOf(server, '--port')) ?? '6379';
  const where = socket === undefined ? ['-p', port] : ['-s', socket];
  let failure: unknown;
  for (const program of programs) {
    const client: Client = { server, command: [program, ...where], password };
    try {
      if ((await ask(client, ['PING'], context)) === 'PONG') return client;
      failure ??= new FailedError(`asking ${program} in ${server.container}: it gives no answer`);
    } catch (error) {
      context.signal.throwIfAborted();
      failure = saysNotThere((error as { facts?: { status?: number } }).facts?.status)
        ? (failure ?? error)
        : error;
    }
  }
  throw failure;
}

/** What the server answers to a command; lists one item a line. @throws {FailedError} for an error of the server's */
export async function ask(client: Client, command: readonly string[], context: Context): Promise<string> {
  const purpose = `asking ${client.command[0]} in ${client.server.container} for ${command[0]}`;
  const { stdout } = await run(client.server, program(client, purpose, command, context.signal));
  const answer = stdout.replace(/\r?\n$/, '');
  const isError = /^(ERR|NOAUTH|WRONGPASS|NOPERM|LOADING|MISCONF|BUSY|DENIED|NOREPLICAS|MASTERDOWN)\b/.test(
    answer,
  );
  if (isError || answer.startsWith('AUTH failed')) {
    const where = answer.startsWith('NOAUTH') ? '; say its password in REDISCLI_AUTH of the service' : '';
    throw new FailedError(`${purpose}: ${answer.split('\n', 1)[0]}${where}`);
  }
  return answer;
}

/** A setting of the server. */
export async function setting(client: Client, name: string, context: Context): Promise<string | undefined> {
  return (await ask(client, ['CONFIG', 'GET', name], context)).split('\n')[1];
}

/** What the server says of itself, by field. */
export async function info(client: Client, section: string, context: Context): Promise<Map<string, string>> {
  const lines = (await ask(client, ['INFO', section], context)).split(/\r?\n/);
  const fields = lines.flatMap((line): [string, string][] => {
    const [, name, value = ''] = /^(\w+):(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  return new Map(fields);
}

/** A call of the client in the container. The password goes by the environment, where no list of processes shows it. */
export function program(
  { command, password }: Client,
  purpose: string,
  options: readonly string[],
  signal: AbortSignal,
): ContainerProgram {
  const environment = { LC_ALL: 'C', ...(password !== undefined && { REDISCLI_AUTH: password }) };
  return { purpose, command: [...command, ...options], environment, signal };
}

/** Whether a container runs the server itself, to which options may be added. */
export function isServer(command: readonly string[]): boolean {
  const [first = ''] = command;
  return (
    /^(redis|valkey|keydb)-server$/.test(basename(first)) || first.startsWith('-') || first.endsWith('.conf')
  );
}

async function passwordOf(server: DatabaseServer, context: Context): Promise<string | undefined> {
  const variables = await environmentOf(server, 'redis');
  for (const name of passwordVariables) {
    const value = await toldIn(name, variables, server, context);
    if (value !== undefined) return value;
  }
  return optionOf(server, '--requirepass');
}

/** What follows an option in what the container runs. */
async function optionOf(server: DatabaseServer, option: string): Promise<string | undefined> {
  const command = await commandOf(server);
  const at = command.indexOf(option);
  return at === -1 ? undefined : command[at + 1];
}

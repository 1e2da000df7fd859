import type { Context } from '../../support/context.ts';
import { environmentOf, toldIn } from '../container/environment.ts';
import type { ContainerCommand, DatabaseServer } from '../databases.ts';

/** How MongoDB's tools get into the server of a container. */
export interface Account {
  /** Options that name the account; none where the server knows no accounts. */
  options: readonly string[];
  /** What the tools read as their configuration: the password, which must be in no argument list. */
  config: string;
}

/**
 * The account that the container was told in `MONGO_INITDB_ROOT_USERNAME` and `MONGO_INITDB_ROOT_PASSWORD`, or in the
 * files that these name with `_FILE`.
 *
 * @param user another account, which the server must let in without a password
 */
export async function accountOf(
  server: DatabaseServer,
  user: string | undefined,
  context: Context,
): Promise<Account> {
  if (user !== undefined) return { options: options(user), config: '' };
  const variables = await environmentOf(server, 'mongodb');
  const value = (name: string) => toldIn(name, variables, server, context);
  const root = await value('MONGO_INITDB_ROOT_USERNAME');
  if (root === undefined) return { options: [], config: '' };
  const password = (await value('MONGO_INITDB_ROOT_PASSWORD')) ?? '';
  // JSON is YAML.
  return { options: options(root), config: `password: ${JSON.stringify(password)}\n` };
}

function options(user: string): string[] {
  return [`--username=${user}`, '--authenticationDatabase=admin'];
}

/** The value of an option, written with a blank or with `=`. */
export function optionOf(command: readonly string[], option: string): string | undefined {
  const joined = command.find((word) => word.startsWith(`${option}=`));
  if (joined !== undefined) return joined.slice(option.length + 1);
  const at = command.indexOf(option);
  return at === -1 ? undefined : command[at + 1];
}

/** As a server of its own: a member of a replica set takes nothing before its set is there. */
export function alone({ entrypoint, command }: ContainerCommand): ContainerCommand {
  const kept = command.filter((word, i) => !/^--replSet(=|$)/.test(word) && command[i - 1] !== '--replSet');
  return { entrypoint, command: kept };
}

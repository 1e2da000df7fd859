import type { Context } from '../../support/context.ts';
import { DamagedError } from '../../support/errors.ts';
import { run } from '../container/program.ts';
import { only } from '../text.ts';
import { type Client, clientOptions, fromHex, identifier, program, query } from './client.ts';

/** Accounts that the server itself makes and needs. */
const internal = new Set(['mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema']);

interface Account {
  user: string;
  host: string;
  /** Of MariaDB; those of MySQL are accounts like any other. */
  role: boolean;
}

const begin = '-- Accounts and their rights\n';
const end = '-- Accounts completed\n';

/**
 * A script of every account and role with its password hash and rights, in an order of its own; its end proves it
 * whole.
 */
export async function accountsScript(client: Client, context: Context): Promise<string> {
  const accounts = await accountsOf(client, context);
  const users = accounts.filter(({ role }) => !role);
  const asked = [
    ...users.map((user) => `SHOW CREATE USER ${nameOf(user)};`),
    ...accounts.map((account) => `SHOW GRANTS FOR ${nameOf(account)};`),
  ];
  const rows = await query(client, plainSession(client) + asked.join('\n'), context);
  const said = [...new Set(rows.map(([statement = '']) => statement))].sort();
  const lost = await lostTables(client, context);
  const settings = said.flatMap(settingsOf);
  const statements = [
    ...accounts
      .filter(({ role }) => role)
      .flatMap((role) => (isPublic(role) ? [] : [`CREATE ROLE IF NOT EXISTS ${nameOf(role)}`])),
    ...users.map((user) => `CREATE USER IF NOT EXISTS ${nameOf(user)}`),
    ...settings.map(({ settings }) => settings),
    ...said.filter((line) => /^(GRANT|REVOKE) /.test(line) && !lost.some((table) => line.includes(table))),
    ...said.filter((line) => line.startsWith('SET DEFAULT ROLE ')),
    ...settings.flatMap(({ defaultRole }) => defaultRole ?? []),
  ];
  return `${begin}${statements.map((statement) => `${statement};\n`).join('')}${end}`;
}

/** Gives a server exactly the accounts of a script. */
export async function applyAccounts(client: Client, script: string, context: Context): Promise<void> {
  const purpose = `making the accounts of ${client.product} in ${client.server.container}`;
  if (!script.startsWith(begin) || !script.endsWith(end)) {
    throw new DamagedError(`${purpose}: the list of accounts is not whole`);
  }
  // Our own account is changed, not replaced: some rights of a session end with its account.
  const [[own = ''] = []] = await query(client, 'SELECT CURRENT_USER()', context);
  const isOwn = ({ user, host }: Account) => `${user}@${host}` === own;
  const others = (await accountsOf(client, context)).filter((account) => !isPublic(account));
  const drops = others
    .filter((account) => !isOwn(account))
    .map((account) => `DROP ${account.role ? 'ROLE' : 'USER'} IF EXISTS ${nameOf(account)};\n`);
  const stale = others.filter(
    (account) => isOwn(account) && !script.includes(`CREATE USER IF NOT EXISTS ${nameOf(account)};\n`),
  );
  const last = stale.map((account) => `DROP USER ${nameOf(account)};\n`);
  const all = [plainSession(client), ...drops, script, ...last].join('');
  const command = [client.programs.client, ...clientOptions];
  await run(client.server, program(client, purpose, command, context.signal), only(all));
}

async function accountsOf(client: Client, context: Context): Promise<Account[]> {
  const role = client.product === 'MariaDB' ? 'is_role' : `'N'`;
  const rows = await query(
    client,
    `SELECT HEX(User), HEX(Host), ${role} FROM mysql.user ORDER BY 1, 2`,
    context,
  );
  return rows
    .map(([user = '', host = '', isRole]) => ({
      user: fromHex(user),
      host: fromHex(host),
      role: isRole === 'Y',
    }))
    .filter(({ user }) => !internal.has(user));
}

/** Statements say the same whatever the server is set to; nothing of it goes to its replicas. */
function plainSession({ product, version }: Client): string {
  const [major = 0] = version.split('.').map(Number);
  const hex = product === 'MySQL' && major >= 8 ? 'SET SESSION print_identified_with_as_hex = 1;\n' : '';
  return `SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION sql_log_bin = 0;\n${hex}`;
}

const quoted = "(?:`(?:[^`]|``)*`|'(?:[^'\\\\]|''|\\\\.)*')";
const account = `${quoted}@${quoted}`;
const creation = new RegExp(`^CREATE USER (${account})(.*)$`, 's');
const defaultRoles = new RegExp(` DEFAULT ROLE (${account}(?:,\\s*${account})*)`);

/**
 * `CREATE USER …` as the settings of an account that exists already; MySQL names its default roles there, too early.
 */
function settingsOf(statement: string): { settings: string; defaultRole?: string }[] {
  const [, name = '', written = ''] = creation.exec(statement) ?? [];
  if (name === '') return [];
  const roles = defaultRoles.exec(written)?.[1];
  const rest = written.replace(defaultRoles, '');
  const password = / IDENTIFIED /.test(rest) ? '' : ` IDENTIFIED BY ''`;
  const settings = `ALTER USER ${name}${password}${rest}`;
  return [
    { settings, ...(roles !== undefined && { defaultRole: `ALTER USER ${name} DEFAULT ROLE ${roles}` }) },
  ];
}

/** Rights outlive the table they were given for, but cannot be given for one that is not there. */
async function lostTables(client: Client, context: Context): Promise<string[]> {
  const places = async (sql: string) => {
    const rows = await query(client, sql, context);
    return rows.map(
      ([schema = '', table = '']) => `${identifier(fromHex(schema))}.${identifier(fromHex(table))}`,
    );
  };
  const present = new Set(
    await places('SELECT HEX(table_schema), HEX(table_name) FROM information_schema.tables'),
  );
  const named = await places('SELECT DISTINCT HEX(Db), HEX(Table_name) FROM mysql.tables_priv');
  return named.filter((place) => !present.has(place)).map((place) => ` ON ${place} TO `);
}

/** Of MariaDB 10.11: what everybody may do. It is always there. */
function isPublic({ user, host }: Account): boolean {
  return user === 'PUBLIC' && host === '';
}

function nameOf({ user, host, role }: Account): string {
  if (role && user === 'PUBLIC') return 'PUBLIC';
  return role ? identifier(user) : `${identifier(user)}@${identifier(host)}`;
}

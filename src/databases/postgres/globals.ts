import type { Context } from '../../support/context.ts';
import { type Client, query } from './client.ts';
import { makeDirectories } from './tablespaces.ts';

/**
 * Creates the roles and tablespaces of a `pg_dumpall --globals-only` script that the server lacks, without passwords
 * or rights, and the directories of these tablespaces. Its statements stand one to a line.
 */
export async function createMissingGlobals(client: Client, globals: string, context: Context): Promise<void> {
  const missing = await withoutPresent(
    client,
    globals.split('\n').filter((line) => creation.test(line)),
    context,
  );
  await makeDirectories(client, missing, context);
  await query(client, missing.join('\n'), context);
}

/** Makes roles and tablespaces what the script says; those it does not name stay as they are. */
export async function applyGlobals(client: Client, globals: string, context: Context): Promise<void> {
  const lines = await withoutPresent(client, globals.split('\n'), context);
  await query(client, lines.map((line) => withWhatItLacks(line, client.superuser)).join('\n'), context);
}

/** Roles as they were before: those that came with `after` go, unless somebody has put them to use. */
export async function takeBackGlobals(
  client: Client,
  { before, after }: { before: string; after: string },
  context: Context,
): Promise<void> {
  const old = new Set(before.split('\n'));
  const added = after.split('\n').filter((line) => !old.has(line));
  const revocations = added.flatMap((line) => revocationOf(line) ?? []);
  await query(client, revocations.join('\n'), context);
  await applyGlobals(client, before, context);
  for (const line of added) {
    const created = creation.exec(line);
    if (created) await query(client, `DROP ${created[1]} IF EXISTS ${created[2]}`, context).catch(() => {});
  }
}

const name = '"(?:[^"]|"")+"|[^\\s;"]+';
const creation = new RegExp(`^CREATE (ROLE|TABLESPACE) (${name})`);
const alteration = new RegExp(`^ALTER ROLE (${name}) WITH (.*);$`);
const membership = new RegExp(`^GRANT (${name}) TO (${name})(?: WITH [^"]*?)?( GRANTED BY (?:${name}))?;$`);

/** Creating what exists is an error, and an error would end the script. */
async function withoutPresent(client: Client, lines: readonly string[], context: Context): Promise<string[]> {
  const present = new Set(
    await query(
      client,
      `SELECT 'ROLE ' || rolname FROM pg_roles UNION ALL SELECT 'TABLESPACE ' || spcname FROM pg_tablespace`,
      context,
    ),
  );
  return lines.filter((line) => {
    const created = creation.exec(line);
    return created === null || !present.has(`${created[1]} ${unquoted(created[2]!)}`);
  });
}

/**
 * The script is silent about a role that has no password, no limit or no settings: what it was given since would stay.
 * Its settings come behind. Our own account keeps its password, for by that we may have come in.
 */
function withWhatItLacks(line: string, superuser: string): string {
  const [, role, said = ''] = alteration.exec(line) ?? [];
  if (role === undefined) return line;
  const limit = said.includes(' CONNECTION LIMIT ') ? '' : ' CONNECTION LIMIT -1';
  const password = said.includes(' PASSWORD ') || unquoted(role) === superuser ? '' : ' PASSWORD NULL';
  return `ALTER ROLE ${role} WITH${limit}${password} ${said};\nALTER ROLE ${role} RESET ALL;`;
}

function revocationOf(line: string): string | undefined {
  const granted = membership.exec(line);
  return granted === null ? undefined : `REVOKE ${granted[1]} FROM ${granted[2]}${granted[3] ?? ''};`;
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

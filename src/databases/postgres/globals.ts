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
  await query(client, (await withoutPresent(client, globals.split('\n'), context)).join('\n'), context);
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
  const resets = before.split('\n').flatMap((line) => {
    const role = /^CREATE ROLE (.*);$/.exec(line)?.[1];
    return role === undefined ? [] : [`ALTER ROLE ${role} RESET ALL;`];
  });
  await query(client, [...revocations, ...resets].join('\n'), context);
  await applyGlobals(client, before, context);
  for (const line of added) {
    const created = /^CREATE (ROLE|TABLESPACE) (\S+)/.exec(line.replace(/;$/, ''));
    if (created) await query(client, `DROP ${created[1]} IF EXISTS ${created[2]}`, context).catch(() => {});
  }
}

const name = '"(?:[^"]|"")+"|[^\\s;"]+';
const creation = new RegExp(`^CREATE (ROLE|TABLESPACE) (${name})`);
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

function revocationOf(line: string): string | undefined {
  const granted = membership.exec(line);
  return granted === null ? undefined : `REVOKE ${granted[1]} FROM ${granted[2]}${granted[3] ?? ''};`;
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

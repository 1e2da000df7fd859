import type { Context } from '../../support/context.ts';
import { type Client, identifier, literal, query } from './client.ts';

/** Every database of the server, whoever may connect to it. */
export function databaseNames(client: Client, context: Context): Promise<string[]> {
  return query(client, 'SELECT datname FROM pg_database', context);
}

/**
 * Asks for all that hold somebody's data at once, one row each: for every question a program is started in the
 * container.
 */
export const creationQuery = `SELECT row_to_json(properties) FROM (
    SELECT d.*, pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding_name,
      (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace) AS tablespace,
      shobj_description(d.oid, 'pg_database') AS comment,
      (SELECT json_agg(row_to_json(g)) FROM (
        SELECT CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee) END AS grantee,
          privilege_type AS privilege, is_grantable AS grantable FROM aclexplode(datacl) ORDER BY 1, 2) g) AS grants,
      (SELECT json_agg(row_to_json(s)) FROM (
        SELECT CASE setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(setrole) END AS role, unnest(setconfig) AS setting
          FROM pg_db_role_setting WHERE setdatabase = d.oid ORDER BY 1, 2) s) AS settings
    FROM pg_database d WHERE datname NOT IN ('template0', 'template1')) properties;`;

/**
 * The SQL that makes an empty database like each of these: encoding, collation, owner, grants, settings. It creates it
 * under the name in psql's variable `database`, so that by hand it is `psql -v database=shop -f create.sql`.
 * @param rows what `creationQuery` answers
 * @returns by the names of the databases; and the names of those that take no connections, so that nobody can read them
 */
export function creationScripts(rows: readonly string[]): {
  scripts: Map<string, string>;
  closed: string[];
} {
  const all = rows.map((row) => JSON.parse(row) as DatabaseProperties);
  return {
    scripts: new Map(
      all.filter(isOpen).map((properties) => [properties.datname, creationScript(properties)]),
    ),
    closed: all.filter((properties) => !isOpen(properties)).map(({ datname }) => datname),
  };
}

/** A limit of -2 marks one whose removal was interrupted. Source: pg_database, DATCONNLIMIT_INVALID_DB. */
function isOpen({ datallowconn, datconnlimit }: DatabaseProperties): boolean {
  return datallowconn && datconnlimit !== -2;
}

function creationScript(properties: DatabaseProperties): string {
  return [
    createStatement(properties),
    ...(properties.datconnlimit === -1
      ? []
      : [`ALTER DATABASE :"database" CONNECTION LIMIT ${properties.datconnlimit};`]),
    ...(properties.comment === null
      ? []
      : [`COMMENT ON DATABASE :"database" IS ${literal(properties.comment)};`]),
    ...(properties.grants ?? []).flatMap(grantStatements),
    ...(properties.settings ?? []).map(settingStatement),
    '',
  ].join('\n');
}

/** A row of pg_database, whose columns differ from version to version, and what belongs to it. */
interface DatabaseProperties {
  datname: string;
  owner: string;
  encoding_name: string;
  datcollate: string;
  datctype: string;
  /** `c`, `i`, `b`; from version 15 on. */
  datlocprovider?: string;
  /** Versions 15 and 16; from 17 on it is `datlocale`. */
  daticulocale?: string | null;
  datlocale?: string | null;
  daticurules?: string | null;
  datallowconn: boolean;
  datistemplate: boolean;
  datconnlimit: number;
  tablespace: string;
  comment: string | null;
  /** `null`: the server's defaults were never touched. */
  grants: Grant[] | null;
  settings: Setting[] | null;
}

interface Grant {
  /** `null`: everybody. */
  grantee: string | null;
  privilege: string;
  grantable: boolean;
}

interface Setting {
  /** `null`: for everybody in this database. */
  role: string | null;
  /** `name=value` */
  setting: string;
}

function createStatement(properties: DatabaseProperties): string {
  const locale = properties.datlocale ?? properties.daticulocale;
  const provider = { i: 'icu', b: 'builtin' }[properties.datlocprovider ?? 'c'];
  const clauses = [
    `OWNER ${identifier(properties.owner)}`,
    'TEMPLATE template0',
    `ENCODING ${literal(properties.encoding_name)}`,
    `LC_COLLATE ${literal(properties.datcollate)}`,
    `LC_CTYPE ${literal(properties.datctype)}`,
    ...(provider === undefined ? [] : [`LOCALE_PROVIDER ${provider}`]),
    ...(provider === 'icu' ? [`ICU_LOCALE ${literal(locale ?? '')}`] : []),
    ...(provider === 'builtin' ? [`BUILTIN_LOCALE ${literal(locale ?? '')}`] : []),
    ...(properties.daticurules ? [`ICU_RULES ${literal(properties.daticurules)}`] : []),
    ...(properties.datistemplate ? ['IS_TEMPLATE true'] : []),
    ...(properties.tablespace === 'pg_default' ? [] : [`TABLESPACE ${identifier(properties.tablespace)}`]),
  ];
  return `CREATE DATABASE :"database" ${clauses.join(' ')};`;
}

/** The first of them takes back what a new database grants by default. */
function grantStatements({ grantee, privilege, grantable }: Grant, index: number): string[] {
  const role = grantee === null ? 'PUBLIC' : identifier(grantee);
  const option = grantable ? ' WITH GRANT OPTION' : '';
  return [
    ...(index === 0 ? ['REVOKE ALL ON DATABASE :"database" FROM PUBLIC;'] : []),
    `GRANT ${privilege} ON DATABASE :"database" TO ${role}${option};`,
  ];
}

function settingStatement({ role, setting }: Setting): string {
  const name = setting.slice(0, setting.indexOf('='));
  const value = setting.slice(name.length + 1);
  const whose = role === null ? 'DATABASE' : `ROLE ${identifier(role)} IN DATABASE`;
  const values = listSettings.has(name.toLowerCase()) ? listItems(value) : [value];
  return `ALTER ${whose} :"database" SET ${name.split('.').map(identifier).join('.')} TO ${values.map(literal).join(', ')};`;
}

/**
 * Settings whose value is a list of quoted names; each must be quoted by itself. Source: guc_tables.c, GUC_LIST_QUOTE.
 */
const listSettings = new Set([
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'unix_socket_directories',
]);

function listItems(list: string): string[] {
  return Array.from(list.matchAll(/"((?:[^"]|"")*)"|([^",\s]+)/g), ([, quoted, bare]) =>
    quoted === undefined ? bare! : quoted.replaceAll('""', '"'),
  );
}

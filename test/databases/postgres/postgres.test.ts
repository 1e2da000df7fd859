import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { postgres } from '../../../src/databases/postgres/postgres.ts';
import { failure } from '../../support/rejects.ts';
import { context, startPostgres } from './server.ts';
import { replay, type Saved, startShop } from './shop.ts';

const { server, dump, databases } = await startShop();
test.after(() => server.remove());

const checksum = () => server.sql(`SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM item t`, 'sh op/é');

test('a dump starts one program in the container for its questions, one for the roles and one for each database', async () => {
  const started: string[] = [];
  const { containers } = server.engine;
  const counting: typeof containers = Object.assign(Object.create(containers), {
    exec: (...[name, program]: Parameters<typeof containers.exec>) => {
      started.push(program.command[0]!);
      return containers.exec(name, program);
    },
  });
  const counted = { ...server, engine: { ...server.engine, containers: counting } };
  for await (const { content } of postgres.dump(counted, { warn: assert.unreachable }, context))
    for await (const piece of content) assert.ok(piece.length > 0);
  assert.equal(started, ['psql', 'pg_dumpall', 'pg_dump', 'pg_dump', 'pg_dump']);
});

test('a dump has the roles and every database, in the order of its paths', async () => {
  const files = await dump();
  assert.equal(
    files.map(({ path }) => path),
    [
      'cluster/globals.sql',
      ...['empty', 'postgres', 'sh%20op%2F%C3%A9'].flatMap((name) => [
        `databases/${name}/create.sql`,
        `databases/${name}/dump.sql`,
      ]),
      'server.json',
    ],
  );
  const { product, version, data } = JSON.parse(files.at(-1)!.bytes.toString());
  assert.is(product, 'PostgreSQL');
  assert.match(version, /^\d+\.\d+/);
  assert.equal(await postgres.describe(server, context), { product, version, data });
});

test('an unchanged server gives the same bytes', async () => {
  assert.equal(await dump(), await dump());
});

test('only the databases asked for are dumped; one that is not there is an error', async () => {
  assert.is((await dump({ databases: ['empty'] })).length, 4);
  const error = await failure(dump({ databases: ['empty', 'lost'] }));
  assert.match(error.message, /has no database lost/);
});

test('a template is dumped and comes back as one; a database that takes no connections is told of', async () => {
  await server.sql(
    'CREATE DATABASE mould IS_TEMPLATE true; CREATE DATABASE closed; CREATE DATABASE "x.old_1f2e"',
  );
  await server.sql('CREATE TABLE public.form AS SELECT 1 AS a', 'mould');
  await server.sql(`UPDATE pg_database SET datallowconn = false WHERE datname IN ('closed', 'x.old_1f2e')`);
  const warnings: string[] = [];
  const saved: Saved[] = [];
  for await (const { path, content } of postgres.dump(
    server,
    { warn: (message) => void warnings.push(message) },
    context,
  ))
    saved.push({ path, bytes: Buffer.concat(await Array.fromAsync(content)) });
  assert.equal(warnings, ['database closed takes no connections, and is not in the dump']);
  const ofMould = saved.filter(
    ({ path }) => !path.startsWith('databases/') || path.startsWith('databases/mould/'),
  );
  await server.sql('DROP TABLE public.form', 'mould');
  const loaded = await postgres.load(server, replay(ofMould), 'f00d', context);
  await postgres.swap(server, loaded, context);
  assert.is(await server.sql('SELECT a FROM public.form', 'mould'), '1');
  await postgres.dropKept(server, loaded, context);
  const templates = `SELECT datname FROM pg_database WHERE datistemplate ORDER BY 1`;
  assert.equal((await server.sql(templates)).split('\n'), ['mould', 'template0', 'template1']);
  await server.sql(
    'ALTER DATABASE mould IS_TEMPLATE false; DROP DATABASE mould; DROP DATABASE closed; DROP DATABASE "x.old_1f2e"',
  );
});

test('one that takes no connections is taken back under its own name', async () => {
  const saved = await dump({ databases: ['empty'] });
  await server.sql(`UPDATE pg_database SET datallowconn = false WHERE datname = 'empty'`);
  const loaded = await postgres.load(server, replay(saved), 'beef', context);
  await postgres.swap(server, loaded, context);
  await postgres.undo(server, loaded, context);
  assert.equal(await databases(), ['empty', 'postgres', 'sh op/é']);
});

test('a dump is loaded beside, swapped, taken back, swapped again and the old dropped', async () => {
  const before = await checksum();
  const files = await dump();
  await server.sql(
    `UPDATE item SET text = 'changed' WHERE id = 1; DELETE FROM item WHERE id > 100`,
    'sh op/é',
  );
  await server.sql(`ALTER ROLE app PASSWORD 'second'; CREATE ROLE later; GRANT later TO app`);
  const changed = await checksum();
  const hash = () => server.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = 'app'`);
  const second = await hash();

  const loaded = await postgres.load(server, replay(files), '00c0ffee', context);
  assert.is(await checksum(), changed, 'loading changes nothing that lives');
  const shop = loaded.databases.find(({ name }) => name === 'sh op/é')!;
  assert.equal([shop.tables, shop.rows, shop.existed], [1, 5001, true]);

  await postgres.swap(server, loaded, context);
  assert.is(await checksum(), before);
  assert.is.not(await hash(), second);
  await postgres.swap(server, loaded, context);
  assert.is(await checksum(), before, 'a repetition changes nothing');

  await postgres.undo(server, loaded, context);
  assert.is(await checksum(), changed);
  assert.is(await hash(), second);
  await postgres.undo(server, loaded, context);
  assert.equal(await databases(), ['empty', 'postgres', 'sh op/é']);

  const again = await postgres.load(server, replay(files), '00c0ffee', context);
  await postgres.swap(server, again, context);
  assert.is((await databases()).length, 6);
  await postgres.dropKept(server, again, context);
  assert.equal(await databases(), ['empty', 'postgres', 'sh op/é']);
  assert.is(await checksum(), before);
});

test('owner, grants, settings, limits and comments of a database come back', async () => {
  const properties = () =>
    server.sql(`SELECT pg_get_userbyid(datdba), datacl, datconnlimit, shobj_description(d.oid, 'pg_database'),
      (SELECT json_agg(setconfig ORDER BY setrole) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)
      FROM pg_database d WHERE datname = 'sh op/é'`);
  const before = await properties();
  const loaded = await postgres.load(server, replay(await dump()), 'aaaa0001', context);
  await postgres.swap(server, loaded, context);
  await postgres.dropKept(server, loaded, context);
  assert.is(await properties(), before);
  assert.is(await server.sql(`SELECT convert_from(lo_get(4711), 'UTF8')`, 'sh op/é'), 'large');
});

test('a role gets back what it had, also that it had no password, limit or settings; one that came goes again', async () => {
  const roles = () =>
    server.sql(`SELECT rolname, coalesce(rolpassword, 'none'), rolconnlimit, rolsuper,
      (SELECT setconfig FROM pg_db_role_setting WHERE setrole = a.oid AND setdatabase = 0)
      FROM pg_authid a WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1`);
  await server.sql(`CREATE ROLE "to ""go; x" PASSWORD 'known'; ALTER ROLE "to ""go; x" SET work_mem = '3MB'`);
  const before = await roles();
  const files = await dump({ databases: ['empty'] });
  await server.sql(`DROP ROLE "to ""go; x"; ALTER ROLE app SET search_path = evil;
    ALTER ROLE "we\\""ird" SUPERUSER CONNECTION LIMIT 3 PASSWORD 'of an intruder'; ALTER ROLE postgres PASSWORD 'own'`);
  const changed = await roles();
  const loaded = await postgres.load(server, replay(files), 'aaaa0003', context);
  await postgres.swap(server, loaded, context);
  const own = /^postgres.*\n/m;
  assert.is((await roles()).replace(own, ''), before.replace(own, ''));
  assert.match(await roles(), /^postgres\|SCRAM/m, 'we come in by it');
  await postgres.undo(server, loaded, context);
  assert.is(await roles(), changed);
  await server.sql(`ALTER ROLE "we\\""ird" NOSUPERUSER PASSWORD NULL; ALTER ROLE app RESET ALL`);
});

test('databases with sessions in them are swapped all the same', async () => {
  const files = await dump({ databases: ['empty'] });
  const loaded = await postgres.load(server, replay(files), 'aaaa0002', context);
  const sleeper = server.sql('SELECT pg_sleep(60)', 'empty').catch((error: Error) => error);
  while ((await server.sql(`SELECT count(*) FROM pg_stat_activity WHERE datname = 'empty'`)) === '0');
  await postgres.swap(server, loaded, context);
  assert.instance(await sleeper, Error);
  await postgres.dropKept(server, loaded, context);
});

test('on a server that has none of it, roles and databases are made, and undo removes them', async () => {
  const files = await dump();
  const other = await startPostgres({
    POSTGRES_USER: 'boss',
    POSTGRES_PASSWORD: 'of it all',
    POSTGRES_DB: 'first',
  });
  try {
    await other.sql('CREATE ROLE postgres SUPERUSER');
    const loaded = await postgres.load(other, replay(files), 'bbbb0001', context);
    await postgres.swap(other, loaded, context);
    assert.is(await other.sql('SELECT count(*) FROM item', 'sh op/é'), '5001');
    await postgres.undo(other, loaded, context);
    const left = await other.sql('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1');
    assert.is(left, 'first\npostgres');
    assert.is(await other.sql(`SELECT count(*) FROM pg_roles WHERE rolname IN ('app', 'we\\"ird')`), '0');
  } finally {
    await other.remove();
  }
});

test.run();

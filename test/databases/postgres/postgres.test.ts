import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DumpFile } from '../../../src/databases/databases.ts';
import { postgres } from '../../../src/databases/postgres/postgres.ts';
import { DamagedError, FailedError } from '../../../src/support/errors.ts';
import { context, startPostgres, type TestServer } from './server.ts';

let server: TestServer;

test.before(async () => {
  server = await startPostgres();
  await server.sql(`
    CREATE ROLE app LOGIN PASSWORD 'first';
    CREATE ROLE "we\\""ird";
    GRANT "we\\""ird" TO app;
    CREATE DATABASE "sh op/é" OWNER app;
    CREATE DATABASE empty;
    ALTER DATABASE "sh op/é" SET search_path = "$user", public, '';
    ALTER DATABASE "sh op/é" SET work_mem = '8MB';
    ALTER ROLE app IN DATABASE "sh op/é" SET datestyle = 'ISO, DMY';
    ALTER DATABASE "sh op/é" CONNECTION LIMIT 77;
    GRANT CONNECT ON DATABASE "sh op/é" TO "we\\""ird" WITH GRANT OPTION;
    COMMENT ON DATABASE "sh op/é" IS E'it''s\\n:"database" :x';`);
  await server.sql(
    `CREATE TABLE public.item (id serial PRIMARY KEY, text text, bytes bytea);
     INSERT INTO public.item (text, bytes) SELECT md5(i::text), decode(md5(i::text), 'hex') FROM generate_series(1, 5000) i;
     INSERT INTO public.item (text) VALUES (E'\\\\unrestrict x\\n\\\\.\\nCOPY');
     ALTER TABLE public.item OWNER TO app;
     CREATE VIEW public.latest AS SELECT max(id) FROM public.item;
     SELECT lo_from_bytea(4711, 'large');`,
    'sh op/é',
  );
});

test.after(() => server.remove());

interface Saved {
  path: string;
  bytes: Buffer;
}

async function dump(options: { databases?: string[] } = {}): Promise<Saved[]> {
  const saved: Saved[] = [];
  for await (const { path, content } of postgres.dump(
    server,
    { warn: assert.unreachable, ...options },
    context,
  )) {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    saved.push({ path, bytes: Buffer.concat(pieces) });
  }
  return saved;
}

async function* replay(files: readonly Saved[]): AsyncGenerator<DumpFile> {
  for (const { path, bytes } of files) yield { path, content: pieces(bytes) };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function databases(): Promise<string[]> {
  const names = await server.sql(`SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1`);
  return names.split('\n');
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('it did not fail') as never,
    (error: Error) => error,
  );
}

const checksum = () => server.sql(`SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM item t`, 'sh op/é');

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

test('the first error ends loading, and nothing is left of it', async () => {
  const files = await dump();
  for (const spoil of [
    (sql: string) => sql.replace('CREATE VIEW', 'CREATE NONSENSE;\nCREATE VIEW'),
    (sql: string) => sql.replace('OWNER TO app', 'OWNER TO nobody_like_this'),
    (sql: string) => sql.replace('\nCOPY public.item', '\n\\! touch /tmp/pwned\nCOPY public.item'),
  ]) {
    const spoilt = files.map(({ path, bytes }) =>
      path.endsWith('%A9/dump.sql') ? { path, bytes: Buffer.from(spoil(bytes.toString())) } : { path, bytes },
    );
    const error = await failure(postgres.load(server, replay(spoilt), 'cccc0001', context));
    assert.instance(error, FailedError);
    assert.match(error.message, /^loading database sh op\/é into postgres in .*: psql exited with/);
    assert.equal(await databases(), ['empty', 'postgres', 'sh op/é']);
  }
});

test('a dump that is cut anywhere, or lacks a file, is damage', async () => {
  const files = await dump({ databases: ['sh op/é'] });
  const whole = files[2]!;
  for (const end of [0, 10, 700, 5000, whole.bytes.length - 60]) {
    const cut = [files[0]!, files[1]!, { path: whole.path, bytes: whole.bytes.subarray(0, end) }];
    const error = await failure(postgres.load(server, replay(cut), 'dddd0001', context));
    assert.instance(error, DamagedError, `${end}: ${error.message}`);
  }
  for (const some of [files.slice(0, 2), [files[0]!, whole], [{ path: 'else', bytes: Buffer.from('x') }]]) {
    assert.instance(await failure(postgres.load(server, replay(some), 'dddd0001', context)), DamagedError);
  }
  assert.equal(await databases(), ['empty', 'postgres', 'sh op/é']);
});

test('a source that fails while it is loaded tells its own failure', async () => {
  const files = await dump({ databases: ['sh op/é'] });
  async function* failing(): AsyncGenerator<DumpFile> {
    yield* replay(files.slice(0, 2));
    yield {
      path: files[2]!.path,
      content: (async function* () {
        yield files[2]!.bytes.subarray(0, 4000);
        throw new DamagedError('a chunk is damaged');
      })(),
    };
  }
  const error = await failure(postgres.load(server, failing(), 'eeee0001', context));
  assert.is(error.message, 'a chunk is damaged');
  assert.equal(await databases(), ['empty', 'postgres', 'sh op/é']);
});

test('what a killed load left behind is discarded by its token', async () => {
  await server.sql('CREATE DATABASE "shop.new_ffff0001"');
  await server.sql('CREATE DATABASE "shop.new_ffff0002"');
  await postgres.discard(server, 'ffff0001', context);
  assert.equal(await databases(), ['empty', 'postgres', 'sh op/é', 'shop.new_ffff0002']);
  await postgres.discard(server, 'ffff0002', context);
});

test('a dump that takes too long, or is interrupted, fails and leaves no session behind', async () => {
  await server.sql('CREATE TABLE locked ()', 'empty');
  const holder = server.sql('BEGIN; LOCK locked; SELECT pg_sleep(30)', 'empty').catch(() => {});
  while (
    (await server.sql(`SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted`)) === '0'
  );
  const interrupted = new AbortController();
  const read = async (options: { timeout?: number }, signal: AbortSignal) => {
    const dumped = postgres.dump(
      server,
      { warn() {}, databases: ['empty'], ...options },
      { ...context, signal },
    );
    for await (const { content } of dumped) for await (const _ of content);
  };
  const late = await failure(read({ timeout: 2 }, context.signal));
  assert.match(late.message, /took longer than 2 seconds/);
  setTimeout(() => interrupted.abort(new Error('interrupted')), 1500);
  assert.is((await failure(read({}, interrupted.signal))).message, 'interrupted');
  const ours = `SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'dockerctl-%'`;
  for (let tries = 0; (await server.sql(ours)) !== '0' && tries < 50; tries++);
  assert.is(await server.sql(ours), '0');
  await server.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()`,
  );
  await holder;
  await server.sql('DROP TABLE locked', 'empty');
});

test('a server that dies in the middle of a dump fails it', async () => {
  const other = await startPostgres();
  try {
    await other.sql(
      `CREATE TABLE big AS SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 100000) i`,
      'postgres',
    );
    let bytes = 0;
    const error = await failure(
      (async () => {
        for await (const { content } of postgres.dump(other, { warn() {} }, context)) {
          for await (const piece of content) {
            bytes += piece.length;
            if (bytes > 1_000_000) await other.engine.containers.kill(other.container);
          }
        }
      })(),
    );
    assert.instance(error, Error);
    assert.ok(bytes > 1_000_000);
  } finally {
    await other.remove();
  }
});

test('a password that the image was told in a file opens a server that asks for one', async () => {
  const other = await startPostgres({ POSTGRES_PASSWORD_FILE: '/etc/hostname' });
  try {
    await other.sql(`SELECT format('ALTER ROLE postgres PASSWORD %L', trim(pg_read_file('/etc/hostname'), E'\\n')) \\gexec
      COPY (SELECT 'local all all scram-sha-256') TO '/var/lib/postgresql/data/pg_hba.conf';
      SELECT pg_reload_conf();`);
    const asks = () =>
      other.sql('SELECT 1').then(
        () => false,
        () => true,
      );
    while (!(await asks())); // The server reads its file anew when it comes to it.
    assert.is((await postgres.describe(other, context)).product, 'PostgreSQL');
  } finally {
    await other.remove();
  }
});

test('the password is in no argument list, and a container that does not run is said so', async () => {
  const error = await failure(
    (async () => {
      for await (const _ of postgres.dump(
        { ...server, container: 'no-such-container' },
        { warn() {} },
        context,
      ));
    })(),
  );
  assert.match(error.message, /no-such-container: the container is not there/);
});

test.run();

import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DumpFile } from '../../../src/databases/databases.ts';
import { postgres } from '../../../src/databases/postgres/postgres.ts';
import { DamagedError, FailedError } from '../../../src/support/errors.ts';
import { failure } from '../../support/rejects.ts';
import { context, startPostgres, type TestServer } from './server.ts';
import { replay, startShop } from './shop.ts';

const { server, dump, databases } = await startShop();
test.after(() => server.remove());

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
  const holder = server.sql('BEGIN; LOCK locked; SELECT pg_sleep(300)', 'empty').catch(() => {});
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
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()`,
  );
  await holder;
  await server.sql('DROP TABLE locked', 'empty');
});

test('a server that dies in the middle of a dump fails it', async () => {
  const other = await startBig();
  try {
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

test('the password is in no argument list', async () => {
  const other = await startBig({ POSTGRES_PASSWORD: 'not-to-be-seen' });
  try {
    const seen = await argumentsDuringDump(other);
    assert.match(seen, 'pg_dump');
    assert.not.match(seen, 'not-to-be-seen');
  } finally {
    await other.remove();
  }
});

/** Those of all processes in the container, as soon as content of a database came. */
async function argumentsDuringDump(other: TestServer): Promise<string> {
  let bytes = 0;
  for await (const { content } of postgres.dump(other, { warn() {} }, context))
    for await (const piece of content) {
      bytes += piece.length;
      if (bytes > 1_000_000) return await argumentsOf(other); // Before the dump is given up.
    }
  return assert.unreachable('it ended') as never;
}

async function argumentsOf({ engine, container }: TestServer): Promise<string> {
  const command = ['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'];
  const { stdout, stderr } = await engine.containers.exec(container, { command });
  stderr.resume();
  return text(stdout);
}

/** More than fits into the buffers between a dump and who reads it. */
async function startBig(environment?: Record<string, string>): Promise<TestServer> {
  const server = await startPostgres(environment);
  await server.sql(
    `CREATE TABLE big AS SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 100000) i`,
    'postgres',
  );
  return server;
}

test('a container that does not run is said so', async () => {
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

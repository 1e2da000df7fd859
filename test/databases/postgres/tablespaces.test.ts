import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { postgres } from '../../../src/databases/postgres/postgres.ts';
import { runInContainer } from '../../../src/engine/containers/run-in-container.ts';
import { FailedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { context, startPostgres, type TestServer } from './server.ts';
import { dump, replay } from './shop.ts';

const mounted = [{ target: '/fast' }];
const [old, bare] = await Promise.all([startPostgres({}, mounted), startPostgres({}, mounted)]);
test.after(async () => {
  for (const server of [old, bare]) await server.remove();
});

test('on a server without their directories tablespaces come back, in directories that are its own', async () => {
  const warnings: string[] = [];
  const told = {
    ...context,
    progress: { ...context.progress, warn: (message: string) => void warnings.push(message) },
  };
  const places = ['/fast', '/srv/deep/it is there'];
  for (const place of places)
    await inContainer(old, ['sh', '-c', 'mkdir -p "$1" && chown postgres "$1"', 'sh', place]);
  await old.sql(
    `CREATE TABLESPACE fast LOCATION '/fast'; CREATE TABLESPACE "de ep" LOCATION '/srv/deep/it is there'`,
  );
  await old.sql('CREATE DATABASE shop TABLESPACE "de ep"');
  await old.sql('CREATE TABLE item (id int) TABLESPACE fast; INSERT INTO item VALUES (7)', 'shop');
  const files = await dump(old);
  const loaded = await postgres.load(bare, replay(files), 'tablespaces', told);
  await postgres.swap(bare, loaded, told);
  assert.is(await bare.sql('SELECT id FROM item', 'shop'), '7');
  const located = 'SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE oid > 16000 ORDER BY 1';
  assert.equal((await bare.sql(located)).split('\n'), places);
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', 'the tablespace at /srv/deep/it is there lies in the container');
});

test('where no directory can be made for a tablespace, that is said with what to do', async () => {
  const globals = Buffer.from("CREATE TABLESPACE lost OWNER postgres LOCATION '/proc/lost';\n");
  const error = await rejects(
    () => postgres.load(bare, replay([{ path: 'cluster/globals.sql', bytes: globals }]), 'lost', context),
    FailedError,
  );
  assert.match(error.message, 'making the directory /proc/lost of a tablespace');
  assert.match(error.advice ?? '', 'Make /proc/lost there, empty and owned by');
});

/** As root. */
async function inContainer({ engine, container }: TestServer, command: string[]): Promise<void> {
  assert.is(
    (await runInContainer(engine, container, command, { user: '0', signal: context.signal })).status,
    0,
  );
}

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mysql } from '../../../src/databases/mysql/mysql.ts';
import { context } from '../postgres/server.ts';
import { oddData } from './odd-data.ts';
import { startMariadb, type TestServer } from './server.ts';

let server: TestServer;

test.before(async () => {
  server = await startMariadb();
  await server.sql(oddData('MariaDB'));
});

test.after(() => server.remove());

async function dump(): Promise<{ files: Map<string, string>; warnings: string[] }> {
  const files = new Map<string, string>();
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  for await (const { path, content } of mysql.dump(server, { warn }, context)) {
    files.set(path, Buffer.concat(await Array.fromAsync(content)).toString());
  }
  return { files, warnings };
}

test('a dump has the data, what it was made of, and the accounts, in the order of its paths', async () => {
  const { files, warnings } = await dump();
  assert.equal([...files.keys()], ['data.sql', 'server.json', 'users.sql']);
  assert.equal(warnings, []);
  const { product, version, data } = JSON.parse(files.get('server.json')!);
  assert.equal([product, data], ['MariaDB', '/var/lib/mysql']);
  assert.match(version, /^10\.11\.\d+$/);
  assert.not.match(files.get('users.sql')!, /mariadb\.sys|`gone`/);
  assert.match(files.get('users.sql')!, /^GRANT `auditor` TO `app`@`%`;$/m);
});

test('an unchanged server gives the same bytes, and a changed row changes its own line only', async () => {
  const before = (await dump()).files;
  assert.equal((await dump()).files, before);
  await server.sql('UPDATE `sh op/é`.item SET n = n + 1 WHERE id = 1500');
  const lines = before.get('data.sql')!.split('\n');
  const changed = (await dump()).files.get('data.sql')!.split('\n');
  assert.is(changed.length, lines.length);
  assert.is(changed.filter((line, i) => line !== lines[i]).length, 1);
});

test('tables without transactions are told of', async () => {
  await server.sql('CREATE TABLE zed.old (a INT) ENGINE=MyISAM');
  assert.equal((await dump()).warnings, [
    '1 tables (MyISAM) know no transactions: their rows may be of different moments',
  ]);
  await server.sql('DROP TABLE zed.old');
});

test('a dump is of one moment, across databases, while somebody writes', async () => {
  await server.sql(`USE zed;
    CREATE TABLE zed.debit AS SELECT seq AS id, 1000 AS amount FROM seq_1_to_2000;
    CREATE TABLE \`sh op/é\`.credit AS SELECT seq AS id, 1000 AS amount FROM seq_1_to_2000;
    DELIMITER //
    CREATE PROCEDURE zed.move() BEGIN
      WHILE GET_LOCK('stop', 0) = 1 DO
        SET @i = 1 + FLOOR(RAND() * 2000);
        START TRANSACTION;
        UPDATE zed.debit SET amount = amount - 1 WHERE id = @i;
        UPDATE \`sh op/é\`.credit SET amount = amount + 1 WHERE id = @i;
        COMMIT;
        DO RELEASE_LOCK('stop');
      END WHILE;
    END//
    DELIMITER ;`);
  let writes = true;
  const ended = () => {
    writes = false;
  };
  void server.sql('CALL zed.move()').then(ended, ended);
  const moved = () => server.sql('SELECT 2000000 - SUM(amount) FROM zed.debit');
  while ((await moved()) === '0');
  for (let round = 0; round < 3; round++) {
    const script = (await dump()).files.get('data.sql')!;
    const rows = [...script.matchAll(/^INSERT INTO `(?:debit|credit)` VALUES \(\d+,(-?\d+)\);$/gm)];
    assert.is(rows.length, 4000);
    assert.is(
      rows.reduce((sum, [, amount]) => sum + Number(amount), 0),
      4_000_000,
    );
  }
  assert.is.not(await moved(), '0');
  while (writes) await server.sql(`SELECT GET_LOCK('stop', 10); SELECT SLEEP(1)`);
});

test('where the password is wrong, it is said of the one that was told, not of the try without', async () => {
  await server.sql("ALTER USER root@localhost IDENTIFIED BY 'changed'");
  try {
    const { message } = await dump().then(
      () => new Error('it succeeded'),
      (error: Error) => error,
    );
    assert.match(message, /asking mariadb in .*Access denied .*using password: YES/);
  } finally {
    await server.restorePassword('changed');
  }
});

test('a dump that is interrupted leaves no session behind', async () => {
  await server.sql('CREATE TABLE zed.held (a INT)');
  const holder = server.sql('LOCK TABLES zed.held WRITE; SELECT SLEEP(60)').catch(() => {});
  const sessions = (words: string) =>
    server.sql(`SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '${words}%'`);
  while ((await sessions('SELECT SLEEP')) === '0');
  const read = async () => {
    for await (const { content } of mysql.dump(server, { warn() {}, timeout: 2 }, context))
      for await (const _ of content);
  };
  const error = await read().catch((thrown: Error) => thrown);
  assert.match((error as Error).message, /^dumping mysql in .* took longer than 2 seconds$/);
  await server.sql(
    `SELECT id INTO @id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%' LIMIT 1; KILL @id`,
  );
  await holder;
  const left = `SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()`;
  for (let tries = 0; (await server.sql(left)) !== '0' && tries < 50; tries++);
  assert.is(await server.sql(left), '0');
});

test.run();

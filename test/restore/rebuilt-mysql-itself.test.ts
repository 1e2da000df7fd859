import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../../scripts/fixtures/image.ts';
import { createBackup } from '../../src/backup/create.ts';
import { mysql } from '../../src/databases/mysql/mysql.ts';
import { prepareRestore } from '../../src/restore/restore.ts';
import { takeBackRestore } from '../../src/restore/unfinished.ts';
import { DamagedError, FailedError } from '../../src/support/errors.ts';
import { fingerprint, oddData } from '../databases/mysql/odd-data.ts';
import { rootPassword, runSql } from '../databases/mysql/server.ts';
import { errorOf } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { backUpAll, everything, type RunningHost, replacing, spoiling, startHost } from './rebuilt-host.ts';

const root = temporaryDirectory();
const live = join(root, 'live');
const { engine } = await testEngine();
const name = uniqueName('mysql');
const container = `${name}-1-db`;
const context = quietContext(join(root, 'state'));
const image = await loadFixture(engine, 'mysql').catch((error: Error) => {
  console.log(`not tested, for Debian's unstable does not give MySQL: ${error.message.split('\n')[0]}`);
  return undefined;
});
const itself = image === undefined ? test.skip : test;
let running: RunningHost;

const sql = (statements: string) => runSql({ engine, container }, statements, 'mysql');

/** Rows of a grant come in any order. */
async function everythingInIt(): Promise<string> {
  return [...new Set((await sql(fingerprint('MySQL'))).split('\n'))].sort().join('\n');
}

test.before(async () => {
  if (image === undefined) return;
  mkdirSync(live);
  writeFileSync(join(root, 'secret'), `${rootPassword}\n`, { mode: 0o644 });
  const deployment = `
name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources: {database: {title: DB data, service: db, dump: mysql}}
services:
  db:
    image: ${image}
    environment: {MYSQL_ROOT_PASSWORD_FILE: /run/secret, MYSQL_DATABASE: ours}
    command: [mysqld, --bind-address=127.0.0.1, --event-scheduler=ON]
    network_mode: none
    volumes: ["${live}/mysql:/var/lib/mysql", "${root}/secret:/run/secret:ro"]
    x-dockerctl: {ready: [{run: [mysqladmin, ping]}], ready-timeout: 300s}
`;
  running = await startHost(root, deployment, { engine, context });
  await mysql.ready({ engine, container }, context);
  await sql(`SET GLOBAL event_scheduler = OFF; ${oddData('MySQL')}`);
});

test.after(async () => {
  await running?.repository.close();
  for (const { id, name: one } of await engine.containers.list())
    if (one === container) await engine.containers.remove(id, { force: true, volumes: true });
});

itself('what MySQL dumps comes back, programs, accounts and roles too, and can be taken back', async () => {
  const { host, repository, ports } = running;
  await backUpAll(host, repository);
  const again = { engine, repository, full: true, host: 'here' };
  assert.ok((await createBackup(host.deployment, again, context)).unchanged);
  const saved = await everythingInIt();
  await sql(
    `DROP DATABASE \`sh op/é\`; DROP USER app@'%'; CREATE USER later@'%'; CREATE TABLE zed.later (a INT)`,
  );

  const { plan, run } = await prepareRestore(everything, ports, context);
  assert.equal(plan.sources[0]?.targets, [{ where: `mysql in db: ${live}/mysql`, replaces: true }]);
  const { databases } = await run();
  assert.equal(
    databases.map(({ name: one, tables, rows }) => [one, tables, rows]),
    [
      ['ours', 0, 0],
      ['sh op/é', 3, 3004],
      ['zed', 0, 0],
    ],
  );
  assert.is(await everythingInIt(), saved);

  await takeBackRestore(ports.host, context);
  await expectUntouched();
});

itself('what MySQL refuses, and a dump that is cut, stop nothing and leave nothing', async () => {
  for (const [text, other, kind, message] of [
    ['CREATE TABLE `child`', 'CREATE NONSENSE', FailedError, /ERROR 1064 .* at line/],
    ['-- Dump completed', '-- Dump', DamagedError, /the dump ends before its end/],
  ] as const) {
    const repository = spoiling(running.repository, 'data.sql', replacing(text, other));
    const prepared = await prepareRestore(everything, { ...running.ports, repository }, context);
    const error = await errorOf(prepared.run());
    assert.instance(error, kind, error.message);
    assert.match(error.message, message);
    await expectUntouched();
  }
});

/** What there was before the restore is there, and nothing of a restore is left. */
async function expectUntouched(): Promise<void> {
  assert.is(
    await sql(`SELECT user FROM mysql.user WHERE user IN ('app', 'later'); SHOW TABLES IN zed`),
    'later\na far view\nlater',
  );
  assert.equal(readdirSync(live), ['mysql']);
}

test.run();

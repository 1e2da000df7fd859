import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../../scripts/fixtures/image.ts';
import { mysql } from '../../src/databases/mysql/mysql.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { prepareRestore, type RestorePorts } from '../../src/restore/restore.ts';
import { dropKeptData, restoreStatus, resumeRestore, takeBackRestore } from '../../src/restore/unfinished.ts';
import { ChecksFailedError, DamagedError, FailedError } from '../../src/support/errors.ts';
import { fingerprint, oddData } from '../databases/mysql/odd-data.ts';
import { rootPassword, runSql } from '../databases/mysql/server.ts';
import { errorOf } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { backUpAll, changed, everything, replacing, spoiling, startHost } from './rebuilt-host.ts';

const root = temporaryDirectory();
const live = join(root, 'live');
const { engine } = await testEngine();
const name = uniqueName('rebuilt');
const container = `${name}-1-db`;
const context = quietContext(join(root, 'state'));
let host: Host;
let ports: RestorePorts;
let repository: Repository;
let saved: string;

const sql = (statements: string) => runSql({ engine, container }, statements);

/** Rows of a grant come in any order. */
async function everythingInIt(): Promise<string> {
  return [...new Set((await sql(fingerprint('MariaDB'))).split('\n'))].sort().join('\n');
}

function deploymentText(image: string): string {
  return `
name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources: {mariadb: {title: DB data, service: db, dump: mariadb}}
services:
  db:
    image: ${image}
    environment: {MARIADB_ROOT_PASSWORD_FILE: /run/secret, MARIADB_DATABASE: ours}
    command: [mariadbd, --bind-address=127.0.0.1, --event-scheduler=ON]
    network_mode: none
    volumes: ["${live}/mysql:/var/lib/mysql", "${root}/secret:/run/secret:ro"]
    x-dockerctl: {ready: [{run: [mariadb-admin, ping]}], ready-timeout: 300s}
`;
}

test.before(async () => {
  const image = await loadFixture(engine, 'mariadb');
  mkdirSync(live);
  writeFileSync(join(root, 'secret'), `${rootPassword}\n`, { mode: 0o644 });
  ({ host, repository, ports } = await startHost(root, deploymentText(image), { engine, context }));
  await mysql.ready({ engine, container }, context);
  await sql(`SET GLOBAL event_scheduler = OFF; ${oddData('MariaDB')}`);
  await backUpAll(host, repository);
  saved = await everythingInIt();
  await sql(
    `DROP DATABASE \`sh op/é\`; DROP USER app@'%'; CREATE USER later@'%'; USE zed; CREATE TABLE later (a INT)`,
  );
  await sql('INSERT INTO zed.later VALUES (5)');
});

test.after(async () => {
  await repository?.close();
  for (const { id, name: one } of await engine.containers.list())
    if (one === container) await engine.containers.remove(id, { force: true, volumes: true });
});

/** What there is now, and not in the backup, is as it was, and nothing of a restore is left. */
async function expectUntouched(): Promise<void> {
  assert.is(
    await sql(`SELECT a FROM zed.later; SELECT user FROM mysql.user WHERE user IN ('app', 'later')`),
    '5\nlater',
  );
  assert.equal(readdirSync(live), ['mysql']);
  // The engine is shared: by its name the source tells them from those of other tests.
  const spares = (await engine.containers.list()).filter(
    (one) => one.name.startsWith('dockerctl-restore-') && one.name.endsWith('-mariadb'),
  );
  assert.equal(
    spares.map((one) => one.name),
    [],
  );
}

const startedAt = async () => (await engine.containers.inspect(container))?.startedAt;

test('the plan names the server, its directory, and what stops', async () => {
  const { plan } = await prepareRestore(everything, ports, context);
  assert.equal(plan.sources[0]?.targets, [{ where: `mariadb in db: ${live}/mysql`, replaces: true }]);
  assert.equal([plan.stop, plan.start, plan.warnings], [['db'], ['db'], []]);
});

test('a server older than the dump is told of in the plan', async () => {
  const newer = spoiling(repository, 'server.json', async function* () {
    yield Buffer.from('{"product": "MariaDB", "version": "11.4.2", "data": "/var/lib/mysql"}');
  });
  const { plan } = await prepareRestore(everything, { ...ports, repository: newer }, context);
  assert.match(
    plan.warnings[0] ?? '',
    /^DB data: db may refuse it: it is MariaDB 10\.11\.\d+, the backup is of the newer 11\.4\.2$/,
  );
});

test('a data directory that is nowhere on the host is told of before anything is done', async () => {
  const elsewhere = spoiling(repository, 'server.json', async function* () {
    yield Buffer.from('{"product": "MariaDB", "version": "10.11.1", "data": "/srv/data"}');
  });
  const error = await errorOf(prepareRestore(everything, { ...ports, repository: elsewhere }, context));
  assert.match(error.message, /db keeps \/srv\/data on no volume of its own/);
});

test('what the server refuses, and a dump that is cut, stop nothing and leave nothing', async () => {
  const before = await startedAt();
  for (const [path, spoil, kind, message] of [
    ['data.sql', replacing('CREATE TABLE `past`', 'CREATE NONSENSE'), FailedError, /ERROR 1064 .* at line/],
    ['data.sql', replacing('-- Dump completed', '-- Dump'), DamagedError, /the dump ends before its end/],
    ['data.sql', replacing('\nUSE `zed`', '\n\\! touch /tmp/pwned\nUSE `zed`'), FailedError, /ERROR/],
  ] as const) {
    const prepared = await prepareRestore(
      everything,
      { ...ports, repository: spoiling(repository, path, spoil) },
      context,
    );
    const error = await errorOf(prepared.run());
    assert.instance(error, kind, error.message);
    assert.match(error.message, message);
    await expectUntouched();
  }
  assert.equal(await startedAt(), before);
});

test('killed while the data is made anew, it can be taken back or finished; then the old data comes back', async () => {
  const script = join(import.meta.dirname, 'rebuilt-host.ts');
  const kill = () => assert.is(spawnSync(process.execPath, [script, root, 'users.sql']).signal, 'SIGKILL');
  kill();
  assert.is((await restoreStatus(context))[0]?.phase, 'staging');
  await takeBackRestore(ports.host, context);
  await expectUntouched();

  kill();
  const report = await resumeRestore(
    async () => changed(repository, { close: async () => {} }),
    ports.host,
    context,
  );
  assert.is(await everythingInIt(), saved);
  const items = report.databases.find(({ name: one }) => one === 'sh op/é');
  assert.equal(items, { service: 'db', name: 'sh op/é', tables: 5, rows: 3006 });
  assert.equal(report.kept.length, 1);
  await takeBackRestore(ports.host, context);
  await expectUntouched();
});

test('a server that does not come up with the restored data is given its old data back', async () => {
  let refused = false;
  const services = { ...ports.host!.services };
  const refusing = {
    ...ports,
    host: {
      ...ports.host!,
      services: {
        ...services,
        async start(...[names, options, given]: Parameters<typeof services.start>) {
          if (options.ready && !refused) {
            refused = true;
            throw new FailedError('db does not become ready');
          }
          await services.start(names, options, given);
        },
      },
    },
  };
  const prepared = await prepareRestore(everything, refusing, context);
  assert.instance(await errorOf(prepared.run()), ChecksFailedError);
  await expectUntouched();
});

test('what was replaced is dropped when asked', async () => {
  await (await prepareRestore(everything, ports, context)).run();
  assert.is(await everythingInIt(), saved);
  await dropKeptData(ports.host, context);
  assert.equal(readdirSync(live), ['mysql']);
});

test.run();

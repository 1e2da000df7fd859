import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../../scripts/fixtures/image.ts';
import type { Deployment } from '../../src/deployment/deployment.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import { destroyServices, startServices } from '../../src/lifecycle/services.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { prepareRestore, type RestorePorts } from '../../src/restore/restore.ts';
import { deploymentServices } from '../../src/restore/services/deployment-services.ts';
import { dropKeptData, takeBackRestore } from '../../src/restore/unfinished.ts';
import { ChecksFailedError } from '../../src/support/errors.ts';
import { readText } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fingerprint } from './fingerprint.ts';
import { backUpAll, everything, portsOf } from './rebuilt-host.ts';

const root = temporaryDirectory();
const live = join(root, 'live');
const { engine } = await testEngine();
const name = uniqueName('restore');
const container = `${name}-1-db`;
const context = quietContext(join(root, 'state'));
let host: Host;
let ports: RestorePorts;

test.before(async () => {
  const [postgres, busybox] = [await loadFixture(engine, 'postgres'), await loadBusyboxImage(engine)];
  const deployment = await readText(deploymentText(postgres, busybox));
  host = { deployment, engine, context };
  makeFiles();
  await startServices(['all'], host);
  await sql(`CREATE ROLE shop LOGIN PASSWORD 'secret'`, 'postgres');
  await sql('CREATE DATABASE shop OWNER shop', 'postgres');
  await sql(`CREATE TABLE item AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i`);
  await inContainer(`${name}-1-web`, [
    'sh',
    '-c',
    'echo first >/words; echo photo >/uploads/photo; chown 33:33 /uploads /uploads/photo',
  ]);
  const repository = await openOrCreateRepository(join(root, 'repository'), context);
  await backUpAll(host, repository);
  ports = portsOf(host, repository);
});

test.after(async () => {
  await ports?.repository.close();
  for (const { id, labels } of await engine.containers.list()) {
    if (labels['io.dockerctl.deployment'] === name)
      await engine.containers.remove(id, { force: true, volumes: true });
  }
  for (const volume of await engine.volumes.list()) {
    if (volume.name.startsWith(name)) await engine.volumes.remove(volume.name);
  }
});

/** A database that listens on its socket only, an application that uses it, and one with nothing to do with either. */
function deploymentText(postgres: string, busybox: string): string {
  return `
name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources:
      config: {title: Configuration, paths: [${live}/etc, ${live}/conf.d/app.conf]}
      packages: {title: Packages, paths: [${live}/packages], full: true}
      uploads: {title: Uploads, volume: uploads}
      images: {title: Images, images: true}
      words: {title: Words, service: web, run: [cat, /words], restore: [sh, -c, "cat >/words"]}
      database: {title: DB data, service: db, dump: postgres}
services:
  db:
    image: ${postgres}
    network_mode: none
    volumes: ["${live}/postgres:/var/lib/postgresql/data"]
    x-dockerctl: {ready: [{run: [pg_isready, -q, -U, postgres]}]}
  web:
    image: ${busybox}
    network_mode: none
    init: true
    command: [sleep, "100000"]
    depends_on: [db]
    volumes: ["${live}/etc:/etc/app:ro", "uploads:/uploads"]
    x-dockerctl: {ready: [{run: [cat, /etc/app/config]}]}
  other:
    image: ${busybox}
    network_mode: none
    init: true
    command: [sleep, "100000"]
volumes: {uploads: {}}
`;
}

function makeFiles(): void {
  for (const directory of ['etc/sub', 'conf.d', 'packages/pool'])
    mkdirSync(join(live, directory), { recursive: true });
  writeFileSync(join(live, 'etc/config'), 'a setting');
  writeFileSync(Buffer.from(`${live}/etc/sub/\xff`, 'latin1'), 'odd name');
  linkSync(join(live, 'etc/config'), join(live, 'etc/sub/same'));
  symlinkSync('../config', join(live, 'etc/sub/link'));
  chownSync(join(live, 'etc/sub'), 1234, 4321);
  chmodSync(join(live, 'etc/sub'), 0o2770);
  utimesSync(join(live, 'etc/sub'), 1.5, 1.123456);
  writeFileSync(join(live, 'conf.d/app.conf'), 'one file');
  writeFileSync(join(live, 'conf.d/not-ours'), 'stays');
  for (let i = 0; i < 50; i++)
    writeFileSync(join(live, 'packages/pool', `${i}.rpm`), Buffer.alloc(10_000 + i, i));
}

async function inContainer(target: string, command: string[], user?: string, input = ''): Promise<string> {
  const execution = await engine.containers.exec(target, { command, stdin: true, ...(user && { user }) });
  execution.stderr.resume();
  execution.stdin!.end(input);
  const output = Buffer.concat(await Array.fromAsync(execution.stdout)).toString();
  assert.is(await execution.exitCode, 0, `${command.join(' ')}: ${output}`);
  return output.trim();
}

const sql = (statement: string, database = 'shop') =>
  inContainer(container, ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database], 'postgres', statement);

const checksum = () => sql(`SELECT count(*) || md5(string_agg(t::text, '|' ORDER BY i)) FROM item t`);

/** Files of every source, the volume among them; not the place of the database server's own. */
async function files(): Promise<Record<string, string>> {
  const volume = await engine.volumes.inspect(`${name}_uploads`);
  const found = [
    join(live, 'etc'),
    join(live, 'conf.d/app.conf'),
    join(live, 'packages'),
    volume!.mountpoint,
  ];
  return Object.assign({}, ...found.map((path, i) => prefixed(String(i), fingerprint(path))));
}

function prefixed(prefix: string, facts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [prefix + key, value]));
}

async function running(): Promise<string[]> {
  const containers = await engine.containers.list({ labels: { 'io.dockerctl.deployment': name } });
  return containers
    .filter(({ state }) => state === 'running')
    .map((one) => one.name.replace(`${name}-1-`, ''))
    .sort();
}

async function startedAt(service: string): Promise<number> {
  return (await engine.containers.inspect(`${name}-1-${service}`))!.startedAt!.getTime();
}

test('what lives is replaced: only what uses it stops, and the way back leads back', async () => {
  const [savedFiles, savedRows] = [await files(), await checksum()];
  writeFileSync(join(live, 'etc/config'), 'broken');
  rmSync(join(live, 'packages/pool'), { recursive: true });
  await sql('DELETE FROM item WHERE i > 10');
  const [changedFiles, changedRows] = [await files(), await checksum()];
  const [database, other, web] = await Promise.all(['db', 'other', 'web'].map(startedAt));

  const { plan, run } = await prepareRestore({ ...everything, full: true }, ports, context);
  assert.equal(plan.stop, ['web']);
  const report = await run();
  assert.equal(report.warnings, []);
  assert.equal(await files(), savedFiles);
  assert.is(await checksum(), savedRows);
  assert.equal(await running(), ['db', 'other', 'web']);
  assert.equal([await startedAt('db'), await startedAt('other')], [database, other]);
  assert.ok((await startedAt('web')) > web!);
  assert.is(await inContainer(`${name}-1-web`, ['cat', '/etc/app/config']), 'a setting');

  await takeBackRestore(ports.host, context);
  assert.equal(await files(), changedFiles);
  assert.is(await checksum(), changedRows);
  assert.equal(await running(), ['db', 'other', 'web']);

  await (await prepareRestore({ ...everything, full: true }, ports, context)).run();
  await dropKeptData(ports.host, context);
  assert.equal(await files(), savedFiles);
  assert.is(await sql('SELECT count(*) FROM pg_database', 'postgres'), '4');
});

test('a service that does not become ready brings everything back', async () => {
  const [savedFiles, savedRows] = [await files(), await checksum()];
  await sql('CREATE TABLE later ()');
  const web = host.deployment.services.find((service) => service.name === 'web')!;
  const spoilt: Deployment = {
    ...host.deployment,
    services: host.deployment.services.map((service) =>
      service === web
        ? {
            ...web,
            ready: [{ kind: 'run', command: ['false'] }],
            readyRetry: { interval: 0.2, timeout: 1, attempt: 1 },
          }
        : service,
    ),
  };
  const services = deploymentServices({ ...host, deployment: spoilt });
  let readiness = 0;
  const first = { ...services, start: ready };
  async function ready(...[names, options, own]: Parameters<typeof services.start>) {
    const use = options.ready && readiness++ === 0 ? services : deploymentServices(host);
    return use.start(names, options, own);
  }
  const { run } = await prepareRestore(
    everything,
    { ...ports, host: { engine, services: first, deployment: spoilt } },
    context,
  );
  const error = await run().catch((failure: Error) => failure);
  assert.instance(error, ChecksFailedError);
  assert.equal(await files(), savedFiles);
  assert.is(await checksum(), savedRows);
  assert.is(await sql('SELECT count(*) FROM later'), '0', 'what was made since the backup is there again');
  assert.equal(await running(), ['db', 'other', 'web']);
});

test('on a machine that has nothing but the backup, everything comes back, images included', async () => {
  const [savedFiles, savedRows] = [await files(), await checksum()];
  await destroyServices(['all'], host);
  const web = host.deployment.services.find((service) => service.name === 'web')!;
  await engine.images.remove(web.image, { force: true });
  await engine.volumes.remove(`${name}_uploads`);
  rmSync(live, { recursive: true });

  const { plan, run } = await prepareRestore({ ...everything, full: true }, ports, context);
  assert.equal(plan.stop, []);
  assert.equal(plan.start, ['db', 'web', 'other']);
  const report = await run();
  assert.equal(report.started, ['db', 'web', 'other']);
  assert.is(report.databases.find((database) => database.name === 'shop')?.rows, 20000);
  assert.equal(await files(), savedFiles);
  assert.is(await checksum(), savedRows);
  assert.is(await inContainer(`${name}-1-web`, ['cat', '/uploads/photo']), 'photo');
  assert.is(await inContainer(`${name}-1-web`, ['cat', '/words']), 'first');
  assert.is(
    await sql(`SELECT count(*) FROM pg_authid WHERE rolname = 'shop' AND rolpassword IS NOT NULL`),
    '1',
  );
  assert.equal(await running(), ['db', 'other', 'web']);
});

test.run();

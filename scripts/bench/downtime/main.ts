/** The bench itself, already in a network namespace of its own. */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { connectEngine } from '../../../src/engine/connect.ts';
import { loadBusyboxImage } from '../../../test/support/images.ts';
import { deploymentFile } from '../../demo/deployment-file.ts';
import { furnish, siteIn } from '../../demo/site.ts';
import { busyboxPath } from '../../fixtures/busybox.ts';
import { fixtureArchive, fixtureNames } from '../../fixtures/image.ts';
import { compare, type Measured, together } from './latencies.ts';

/**
 * How long the customers find their way, or the disk settles, and how long it is quiet before and after each backup, in
 * milliseconds.
 */
const settling = 2_000;
const peace = 6_000;

const rounds = Number(process.argv[2]);
const engineName = `downtime-${process.pid}`;
const directory = mkdtempSync('/var/tmp/dockerctl-downtime-');
const site = siteIn(join(directory, 'host'));
const repository = join(directory, 'backup');

async function main(): Promise<void> {
  execFileSync(await busyboxPath(), ['ip', 'link', 'set', 'lo', 'up']);
  try {
    const address = engine('start', '--bridge');
    const environment = {
      ...process.env,
      DOCKER_HOST: address,
      DOCKERCTL_STATE_DIR: join(directory, 'state'),
      PATH: `${resolve('bin')}:${process.env.PATH}`,
    };
    await loadImages(address);
    bringUp(environment);
    await measure(environment);
  } finally {
    engine('stop');
    rmSync(directory, { recursive: true, force: true });
  }
}

function engine(command: 'start' | 'stop', ...options: string[]): string {
  const argv = [command, '--name', engineName, ...options];
  return execFileSync('scripts/engine', argv, { encoding: 'utf8' }).trim();
}

async function loadImages(address: string): Promise<void> {
  const connected = connectEngine({ host: address });
  for (const name of fixtureNames) {
    await connected.images.load(createReadStream(await fixtureArchive(name)));
    await connected.images.tag(`dockerctl-fixture/${name}:latest`, `shop/${name}:1.4`);
  }
  await loadBusyboxImage(connected, { references: ['shop/busybox:1.4'] });
}

/** The demo's deployment, with some 330 MB in its volume and 60 MB in its database. */
function bringUp(environment: NodeJS.ProcessEnv): void {
  const run = (command: string) =>
    execFileSync('bash', ['-ec', command], {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'ignore', 2],
    });
  const query = (sql: string) => run(`dockerctl shell postgres psql -q -U postgres -d shop -c "${sql}"`);
  mkdirSync(repository, { mode: 0o700 });
  furnish(site);
  writeFileSync(join(directory, 'dockerctl.yaml'), deploymentFile(site, repository), { mode: 0o600 });
  run('dockerctl build all');
  query('create table heartbeat (id bigint, said text not null)');
  query(`create table orders as
    select id, md5(id::text) || repeat(' order', 30) as mark from generate_series(1, 220000) id`);
  run(`cd "$(docker volume inspect -f '{{.Mountpoint}}' $(docker volume ls -q | grep uploads))"
    for i in $(seq 300); do head -c $((i * 27 % 40 * 13000 + 10000)) /dev/urandom | base64 -w 0 > "page-$i"; done
    for i in $(seq 60); do head -c 4000000 /dev/urandom > "photo-$i"; done
    sync`);
}

async function measure(environment: NodeJS.ProcessEnv): Promise<void> {
  const [calm, busy]: [Measured[], Measured[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    forgetBackups();
    const customers = fork('scripts/bench/downtime/customers.ts', [join(site.logs, 'app.log')]);
    await once(customers, 'message');
    calm.push(await throughPeace(customers));
    const started = performance.now();
    busy.push(await through(() => backUp(environment), customers));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    execFileSync('sync');
    calm.push(await throughPeace(customers));
    customers.disconnect();
    await once(customers, 'exit');
    console.log(
      `round ${round}, ${seconds} s\n${compare(together(calm.slice(-2)), busy.at(-1)!).join('\n')}`,
    );
  }
  console.log(`all rounds\n${compare(together(calm), together(busy)).join('\n')}`);
}

/** What is left to do for the disk afterwards is no part of the next backup. */
function forgetBackups(): void {
  rmSync(repository, { recursive: true });
  rmSync(join(directory, 'state'), { recursive: true, force: true });
  execFileSync('sync');
}

/**
 * What is idle here drifts by half from minute to minute, with what else the machine does: so it is asked on both sides
 * of a backup.
 */
async function throughPeace(customers: ChildProcess): Promise<Measured> {
  await through(() => setTimeout(settling), customers);
  return through(() => setTimeout(peace), customers);
}

/** What customers met with while `work` was done. */
async function through(work: () => Promise<unknown>, customers: ChildProcess): Promise<Measured> {
  await work();
  customers.send('tell');
  const [measured] = (await once(customers, 'message')) as [Measured];
  return measured;
}

/** Unattended, as a timer starts it, in a session of its own. */
async function backUp(environment: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn('dockerctl', ['backup'], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`the backup ended with ${status}`);
}

await main();

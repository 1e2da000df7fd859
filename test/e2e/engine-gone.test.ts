/** An engine that is killed while a backup reads from it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../support/cli.ts';
import { throwawayEngine } from '../support/engine.ts';
import { loadBusyboxImage } from '../support/images.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const { socket, engine, stop } = await throwawayEngine('gone');
const run = socket.replace('/docker.sock', '');
const image = await loadBusyboxImage(engine);
const [shared, file] = [join(root, 'shared'), join(root, 'dockerctl.yaml')];
for (const name of ['shared', 'files', 'more']) mkdirSync(join(root, name));
const printing =
  '[sh, -c, "head -c 300000 /dev/zero; touch /shared/printed; test ! -e /shared/wait || sleep 60"]';
writeFileSync(
  file,
  `name: gone
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources:
      before: {title: Before, paths: [${root}/files]}
      dump: {title: Dump, service: app, run: ${printing}, restore: [cat]}
      uploads: {title: Uploads, volume: uploads}
      images: {title: Images, images: true}
      later: {title: Later, paths: [${root}/more]}
services:
  app:
    image: ${image}
    network_mode: none
    init: true
    command: [sleep, "100000"]
    volumes: ["uploads:/uploads", "${shared}:/shared"]
volumes: {uploads: {driver_opts: {type: tmpfs, device: tmpfs, o: size=64m}}}
`,
  { mode: 0o600 },
);

function dockerctl(...argv: string[]) {
  return runCli(['--host', `unix://${socket}`, '--state-dir', join(root, 'state'), '-f', file, ...argv]);
}

function killEngine(): void {
  process.kill(Number(readFileSync(join(run, 'dockerd.pid'), 'utf8')), 'SIGKILL');
}

async function startEngine(): Promise<void> {
  const name = run.split('/').at(-1)!;
  assert.is(spawnSync('scripts/engine', ['start', '--name', name]).status, 0);
  const started = await dockerctl('start', 'all');
  assert.is(started.status, 0, started.stderr);
  await inApp('rm -f /uploads/endless; head -c 50000000 /dev/urandom >/uploads/large');
}

async function inApp(script: string): Promise<void> {
  const { status, stderr } = await dockerctl('shell', 'app', 'sh', '-c', script);
  assert.is(status, 0, stderr);
}

async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await met())) await setTimeout(10);
}

async function readers(): Promise<string[]> {
  return (await engine.containers.list())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('dockerctl-'));
}

/** What a snapshot says of its sources, `true` for those that are complete. */
async function sourcesOf(name: string): Promise<Record<string, boolean>> {
  const { stdout } = await dockerctl('backup', 'show', name, '--json');
  const { sources } = JSON.parse(stdout) as { sources: { name: string; complete: boolean }[] };
  return Object.fromEntries(sources.map((source) => [source.name, source.complete]));
}

const whole = { deployment: true, before: true, dump: true, uploads: true, images: true, later: true };
test.before(async () => {
  await startEngine();
  const { status, stderr } = await dockerctl('backup');
  assert.is(status, 0, stderr);
});

test('an engine that is killed during a dump spoils what was to come from it, and nothing else', async () => {
  rmSync(join(shared, 'printed'));
  writeFileSync(join(shared, 'wait'), '');
  const backup = dockerctl('backup', '--json');
  await until(() => existsSync(join(shared, 'printed')));
  killEngine();
  const { status, stdout, stderr } = await backup;
  assert.is(status, 3, stderr);
  assert.match(stderr, 'is incomplete: Dump: ');
  const { snapshot } = JSON.parse(stdout) as { snapshot: { id: string } };
  const left = { ...whole, dump: false, uploads: false, images: false };
  assert.equal(await sourcesOf(snapshot.id), left);
  rmSync(join(shared, 'wait'));
});

test('so does one that is killed while a volume is read through it, and the next backup needs no hand', async () => {
  await startEngine();
  // A hole that takes the engine hours to read: it is killed long before it has come through.
  await inApp('dd if=/dev/null of=/uploads/endless bs=1M seek=1000000 2>/dev/null');
  const backup = dockerctl('backup', '--json');
  await until(async () => (await readers()).length > 0);
  killEngine();
  const { status, stdout, stderr } = await backup;
  assert.is(status, 3, stderr);
  const { snapshot } = JSON.parse(stdout) as { snapshot: { id: string } };
  assert.equal(await sourcesOf(snapshot.id), { ...whole, uploads: false, images: false });
  await startEngine();
  assert.is((await readers()).length, 1, 'the container that read the volume is left');
  const next = await dockerctl('backup');
  assert.is(next.status, 0, next.stderr);
  assert.equal(await sourcesOf('latest'), whole);
  assert.equal(await readers(), []);
  assert.is((await dockerctl('backup', 'verify', '--read-data')).status, 0);
});

test.after(stop);
test.run();

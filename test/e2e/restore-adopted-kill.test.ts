/** A machine that has an engine and one archive, and no deployment file; its restore is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../support/cli.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../support/images.ts';
import { random, seed } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Each kill ends with a restore that is whole. */
const kills = 6;

const root = temporaryDirectory();
const name = uniqueName('killed');
const { socket, engine } = await testEngine();
const image = await loadBusyboxImage(engine);
const etc = join(root, 'etc');
const file = join(etc, 'deployment.yaml');
const [data, stateDir, empty] = [join(root, 'data'), join(root, 'bare-state'), join(root, 'empty')];
const archives = [join(root, 'shop.tar'), join(root, 'shop.tar.zst')];
const text = `name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources:
      data: {title: The data, paths: [${data}]}
      uploads: {title: Uploads, volume: uploads}
      images: {images: true}
services:
  web:
    image: ${image}
    network_mode: none
    init: true
    command: [sh, -c, "test -e /uploads/photo || echo photo >/uploads/photo; sleep 100000"]
    volumes: ["${data}:/data:ro", "uploads:/uploads"]
volumes: {uploads: {}}
`;
const argvOf = (...argv: string[]) => ['--host', `unix://${socket}`, '--state-dir', stateDir, ...argv];

/** As a machine that knows nothing, but for options. */
function bare(...argv: string[]) {
  return runCli(argvOf(...argv), { workingDirectory: empty });
}

/** The real command; `KILL_AT` or `COUNT_CALLS` says what becomes of it. */
async function watched(environment: Record<string, string>, ...argv: string[]): Promise<string> {
  const preload = join(import.meta.dirname, 'torture', 'kill-at-call.ts');
  const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'bin.ts');
  const child = spawn(process.execPath, ['--import', preload, program, ...argvOf(...argv)], {
    cwd: empty,
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
  const [status, signal] = await once(child, 'exit');
  return signal ?? `exit ${status}`;
}

async function loseEverything(): Promise<void> {
  if (!existsSync(file)) writeDeploymentFile();
  const lost = await bare('-f', file, 'destroy', 'all', '--yes');
  assert.is(lost.status, 0, lost.stderr);
  for (const volume of await volumes()) await engine.volumes.remove(volume);
  await engine.images.remove(image, { force: true }).catch(() => {});
  for (const path of [etc, data, stateDir]) rmSync(path, { recursive: true, force: true });
}

async function volumes(): Promise<string[]> {
  return (await engine.volumes.list()).map((volume) => volume.name).filter((each) => each.includes(name));
}

async function containers() {
  return (await engine.containers.list()).filter((container) => container.name.startsWith(name));
}

function writeDeploymentFile(): void {
  mkdirSync(etc, { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
}

async function expectRestored(what: string): Promise<void> {
  assert.is(readFileSync(join(data, 'page'), 'utf8'), 'hello', what);
  assert.is(readFileSync(file, 'utf8'), text, what);
  assert.equal(
    (await containers()).map(({ state }) => state),
    ['running'],
    what,
  );
  const [volume] = await volumes();
  const { mountpoint } = (await engine.volumes.inspect(volume!))!;
  assert.is(readFileSync(join(mountpoint, 'photo'), 'utf8'), 'photo\n', what);
}

async function expectNothing(what: string): Promise<void> {
  assert.not.ok(existsSync(data), what);
  assert.not.ok(existsSync(file), what);
  assert.equal(await volumes(), [], what);
  assert.equal(await containers(), [], what);
}

async function restoreAnew(archive: string, what: string): Promise<void> {
  const { status, stderr } = await bare('restore', archive, '--yes');
  assert.is(status, 0, `${what}: ${stderr}`);
}

mkdirSync(empty);
mkdirSync(data);
writeFileSync(join(data, 'page'), 'hello');
writeDeploymentFile();
for (const argv of [
  ['start', 'all'],
  ['backup'],
  ...archives.map((to) => ['backup', 'export', 'latest', '-o', to]),
]) {
  const { status, stderr } = await bare('-f', file, ...argv);
  assert.is(status, 0, stderr);
}
test.after(loseEverything);

test('killed at any moment, it is finished or taken back, and nobody has to name the deployment file', async () => {
  await loseEverything();
  const counted = join(root, 'calls');
  assert.is(await watched({ COUNT_CALLS: counted }, 'restore', archives[0]!, '--yes'), 'exit 0');
  await expectRestored('not killed');
  const calls = Number(readFileSync(counted, 'utf8'));
  let unfinished = 0;
  for (let i = 0; i < kills; i++) {
    await loseEverything();
    // One in each part of the way, from its beginning to its end.
    const at = 1 + Math.floor(((i + random()) / kills) * calls);
    const archive = archives[i % 4 < 2 ? 0 : 1]!;
    const what = `seed ${seed}: ${archive} killed at call ${at} of ${calls}`;
    const end = await watched({ KILL_AT: String(at) }, 'restore', archive, '--yes');
    const journals = join(stateDir, 'restores');
    const isUnfinished = existsSync(journals) && readdirSync(journals).some((each) => each.endsWith('.json'));
    if (end !== 'SIGKILL' || !isUnfinished) {
      await restoreAnew(archive, what);
    } else {
      unfinished++;
      const refused = await bare('restore', archive, '--yes');
      assert.match(refused.stderr, 'dockerctl restore --resume', what);
      const way = i % 2 === 0 ? '--resume' : '--rollback';
      const { status, stderr } = await bare('restore', way, '--yes');
      assert.is(status, 0, `${what}, ${way}: ${stderr}`);
      if (way === '--rollback') {
        await expectNothing(what);
        await restoreAnew(archive, what);
      }
    }
    await expectRestored(what);
    assert.not.match((await bare('restore', '--status')).stdout, 'UNFINISHED', what);
  }
  assert.ok(unfinished >= kills / 2, `only ${unfinished} of ${kills} left something to do`);
});

test.run();

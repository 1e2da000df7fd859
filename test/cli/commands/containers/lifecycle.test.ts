import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestHost } from '../../../lifecycle/host.ts';
import { type CliResult, runCli } from '../../../support/cli.ts';
import { deploymentFile } from '../../../support/deployment.ts';
import { dockerArchive } from '../../../support/images.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const here = await createTestHost();
const stateDir = temporaryDirectory();
test.after(() => here.cleanUp());

const file = deploymentFile(
  `name: ${here.name}
x-dockerctl: {release: "1"}
services:
  web:
    image: ${here.image}
    network_mode: none
    init: true
    command: [sh, -c, "echo started; sleep 1000"]
    depends_on: [data]
    x-dockerctl: {ready: [{run: [stat, /bin/sh]}]}
  data:
    image: ${here.image}
    network_mode: none
    command: ["true"]
    x-dockerctl: {storage: true}
`,
);

function run(...argv: string[]): Promise<CliResult> {
  return runCli(['--host', here.engine.address, '--file', file, '--state-dir', stateDir, ...argv]);
}

async function succeed(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(...argv);
  assert.is(status, 0, `${argv.join(' ')}: ${stderr}`);
  return stdout;
}

test('nothing starts on data of which a killed restore has replaced a part, unless somebody insists', async () => {
  const journals = join(stateDir, 'restores');
  mkdirSync(journals, { recursive: true });
  const journal = join(journals, '0badcafe.json');
  const record = {
    version: 1,
    id: '0badcafe',
    started: '2026-01-02T03:04:05Z',
    phase: 'swapping',
    request: {},
  };
  for (const [deployment, expected] of [
    [here.name, 1],
    ['another', 0],
  ] as const) {
    writeFileSync(journal, JSON.stringify({ ...record, deployment }));
    for (const command of [
      ['start', 'web'],
      ['build'],
      ['revert', 'web', '--yes'],
      ['start', '--attach', 'data'],
    ]) {
      const { status, stderr } = await run(...command);
      const insists = command.includes('--yes');
      assert.is(status, insists ? 0 : expected, stderr);
      if (status === 1)
        assert.match(stderr, /the restore 0badcafe .* has replaced a part of the data\n.*--resume/);
    }
    await succeed('destroy', 'all', '--yes');
  }
  rmSync(journal);
});

test('a dry run prints every step and does none', async () => {
  assert.equal((await succeed('build', 'all', '--dry-run')).trim().split('\n'), [
    `create ${here.name}-1-data from ${here.image}`,
    `run ${here.name}-1-data to its end`,
    `create ${here.name}-1-web from ${here.image}`,
    `start ${here.name}-1-web`,
    `wait until ${here.name}-1-web is ready`,
  ]);
  const { steps } = JSON.parse(await succeed('build', '--dry-run', '--json'));
  assert.equal(steps[0], {
    do: 'create',
    service: 'data',
    container: `${here.name}-1-data`,
    image: here.image,
  });
  assert.match(await succeed('list', '-l'), /web .*Not created/);
});

test('the life of a service from build to destroy', async () => {
  assert.is(await succeed('build', 'all'), '');
  assert.is(await succeed('build'), '');
  assert.is(await succeed('list'), 'data\nweb\n');
  assert.match(await succeed('list', '-l'), new RegExp(`web +${here.image} +Running +${here.name}-1-web`));
  assert.equal(
    JSON.parse(await succeed('list', '--json')).map(({ name, state }: { name: string; state: string }) => [
      name,
      state,
    ]),
    [
      ['data', 'Stopped'],
      ['web', 'Running'],
    ],
  );
  assert.match(await succeed('check'), /web +yes/);
  assert.equal(JSON.parse(await succeed('check', 'web', '--json')), [{ name: 'web', ready: true }]);
  // Ready is what its check says, be it before its first word.
  while ((await succeed('logs', 'web')) === '') await setTimeout(50);
  assert.is(await succeed('logs', 'web'), 'started\n');
  assert.is(await succeed('logs', 'web', '--tail', '0'), '');
  assert.is(JSON.parse(await succeed('inspect', 'web')).Name, `/${here.name}-1-web`);
  await succeed('stop', 'web');
  assert.match(await succeed('list', '-l'), /web .*Stopped/);
  await succeed('start', 'web');
  await succeed('restart', 'web');
  await succeed('revert', 'web', '--yes');
  assert.match(await succeed('list', '-l'), /web .*Running/);
  await succeed('destroy', 'all', '--yes');
  assert.match(await succeed('list', '-l'), /data .*Not created[\s\S]*web .*Not created/);
});

test('destroying asks, and without a terminal needs --yes', async () => {
  await succeed('start', 'web');
  const { status, stderr } = await run('destroy', 'web');
  assert.is(status, 2);
  assert.match(stderr, `destroy ${here.name}-1-web and all that lies in them`);
  assert.match(await succeed('list', '-l'), /web .*Running/);
  await succeed('destroy', 'all', '--yes');
});

test('shell passes the command on as it is, needs no --, and returns its status', async () => {
  await succeed('start', 'web');
  assert.is(await succeed('shell', 'web', 'echo', '-n', '--json', 'a  b'), '--json a  b');
  assert.is((await run('shell', 'web', 'sh', '-c', 'exit 42')).status, 42);
  const { stdout } = await runCli(['--host', here.engine.address, '--file', file, 'shell', 'web', 'cat'], {
    stdin: 'through stdin',
  });
  assert.is(stdout, 'through stdin');
  await succeed('destroy', 'all', '--yes');
});

test('run leaves nothing behind with --rm', async () => {
  const mine = async () =>
    (await here.engine.containers.list()).filter(({ name }) => name.includes(here.name)).length;
  const before = await mine();
  assert.is(await succeed('run', '--rm', 'web', 'echo', '-n', 'once'), 'once');
  assert.is(await mine(), before);
});

test('start --attach prints what the service says and returns its status', async () => {
  const attached = deploymentFile(
    `name: ${here.name}\nservices: {once: {image: "${here.image}", network_mode: none, command: [sh, -c, "echo hi; exit 3"]}}\n`,
  );
  const { status, stdout } = await runCli([
    '--host',
    here.engine.address,
    '-f',
    attached,
    'start',
    'once',
    '--attach',
  ]);
  assert.equal([status, stdout], [3, 'hi\n']);
});

test('copy moves files both ways', async () => {
  await succeed('start', 'web');
  const home = dirname(file);
  writeFileSync(join(home, 'in'), 'bytes');
  mkdirSync(join(home, 'out'));
  await succeed('copy', join(home, 'in'), 'web:/tmp/');
  await succeed('copy', 'web:/tmp/in', `${join(home, 'out')}/`);
  assert.is(readFileSync(join(home, 'out/in'), 'utf8'), 'bytes');
  await succeed('destroy', 'all', '--yes');
});

test('build loads missing images from the archives of the deployment file', async () => {
  const reference = `${here.name}-loaded:1`;
  const archive = await dockerArchive([{ references: [reference], layers: [{ file: 'x' }] }]);
  const text = `name: ${here.name}
x-dockerctl: {release: "1", images: {archives: ["*.tar"]}}
services: {app: {image: "${reference}", network_mode: none, command: [/file]}}
`;
  const loading = deploymentFile(text);
  writeFileSync(
    join(dirname(loading), 'a.tar'),
    await dockerArchive([{ references: ['other:1'], layers: [{ a: 'a' }] }]),
  );
  writeFileSync(join(dirname(loading), 'b.tar'), archive);
  const argv = ['--host', here.engine.address, '--file', loading, '--state-dir', stateDir];
  const refused = await runCli([...argv, 'create', 'app']);
  assert.is(refused.status, 10);
  assert.match(refused.stderr, 'dockerctl build loads it');
  await runCli([...argv, 'build', 'app']);
  assert.ok(await here.engine.images.inspect(reference));
  assert.is(await here.engine.images.inspect('other:1'), undefined);
  await runCli([...argv, 'destroy', 'app', '--yes']);
  await here.engine.images.remove(reference);
});

test('every failure has its exit status', async () => {
  assert.is((await run('start', 'wbe')).status, 10);
  assert.is((await run('stop')).status, 2);
  assert.is((await run('logs', 'all')).status, 2);
  assert.is((await run('logs', 'web')).status, 10);
  assert.is((await run('check', '--timeout', '0s')).status, 16);
  assert.is((await run('logs', 'web', '--since', 'yesterday-ish')).status, 2);
  const unreachable = await runCli(['--host', 'unix:///nonexistent.sock', '--file', file, 'list', '-l']);
  assert.is(unreachable.status, 18);
  assert.is((await runCli(['--file', '/nonexistent.yaml', 'config'])).status, 10);
  const broken = deploymentFile('name: x\nservces: {}\n');
  const { status, stderr } = await runCli(['--file', broken, 'config']);
  assert.is(status, 2);
  assert.match(stderr, `${broken}:2: servces: is not known here; did you mean services?`);
});

test('config prints what the file comes to, for people and for machines', async () => {
  assert.match(await succeed('config'), `name: ${here.name}`);
  assert.is(JSON.parse(await succeed('config', '--json')).services[1].name, 'web');
});

test.run();

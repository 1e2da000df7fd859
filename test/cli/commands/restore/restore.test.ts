import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { type CliResult, runCli } from '../../../support/cli.ts';
import { testEngine } from '../../../support/engine.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const live = join(root, 'live');
const file = join(root, 'dockerctl.yaml');
const { engine } = await testEngine();

function dockerctl(...argv: string[]): Promise<CliResult> {
  return runCli(['-f', file, '--state-dir', join(root, 'state'), '--host', engine.address, ...argv]);
}

test.before(async () => {
  mkdirSync(join(live, 'manifests'), { recursive: true });
  writeFileSync(join(live, 'manifests/site.pp'), 'node default {}');
  const sources = `{puppet: {title: Puppet manifests, paths: [${live}/manifests]}}`;
  const backup = `{repository: ${root}/repository, sources: ${sources}}`;
  const text = `name: test\nservices: {}\nx-dockerctl: {release: "1", backup: ${backup}}\n`;
  writeFileSync(file, text, { mode: 0o600 });
  assert.is((await dockerctl('backup')).status, exitCodes.done);
});

test('--dry-run tells by title what would be replaced, and does nothing', async () => {
  writeFileSync(join(live, 'manifests/site.pp'), 'changed');
  const { status, stdout } = await dockerctl('restore', 'latest', '--dry-run');
  assert.is(status, exitCodes.done);
  assert.match(stdout, /Puppet manifests +\d+ +\S+ B +\S+\/live\/manifests +replaces what is there/);
  assert.match(stdout, /leaves out Deployment file/);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'changed');
  const plan = JSON.parse((await dockerctl('restore', 'latest', '--dry-run', '--json')).stdout);
  assert.equal(plan.sources[0].targets, [{ where: join(live, 'manifests'), replaces: true }]);
});

test('where nobody can say yes, it asks for --yes and does nothing', async () => {
  const { status, stderr } = await dockerctl('restore', 'latest');
  assert.is(status, exitCodes.usage);
  assert.match(stderr, /Puppet manifests/);
  assert.match(stderr, /--yes/);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'changed');
});

test('with --json it does so too, in lines of JSON', async () => {
  const { status, stdout, stderr } = await dockerctl('restore', 'latest', '--json');
  assert.is(status, exitCodes.usage);
  assert.is(stdout, '');
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.match(lines.at(-2).note, /Puppet manifests/);
  assert.match(lines.at(-1).error.advice, '--yes');
});

test('a snapshot is restored, its status told, taken back, restored again and the old dropped', async () => {
  const { status, stdout } = await dockerctl('restore', 'latest', '--yes');
  assert.is(status, exitCodes.done);
  assert.match(stdout, /restored Puppet manifests: 1 file,/);
  assert.match(stdout, /replaced data is kept in .*\.dockerctl-restore-[0-9a-f]{8}\/old/);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'node default {}');
  assert.match((await dockerctl('restore', '--status')).stdout, /done\n {2}keeps /);
  assert.match((await dockerctl('restore', '--rollback', '-y')).stdout, /took back the restore/);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'changed');
  await dockerctl('restore', 'latest', '-y');
  assert.match((await dockerctl('restore', '--drop-old', '-y')).stdout, /^removed .*\/old\n$/);
  assert.equal(readdirSync(live), ['manifests']);
  assert.match((await dockerctl('restore', '--status')).stdout, /no restore is unfinished/);
});

test('a busy system is not restored over, and its inventory tells what came since', async () => {
  const list = join(root, 'nodes.json');
  const busy = join(root, 'busy');
  const old = readFileSync(file, 'utf8');
  const checks = `refuse-while: [{name: an environment is deploying, run: [cat, ${busy}], matches: running}]`;
  const lists = `inventories: {nodes: {run: [cat, ${list}], key: id, label: name, advice: reset it}}`;
  writeFileSync(file, old.replace('backup: {', `backup: {${checks}, ${lists}, `), { mode: 0o600 });
  writeFileSync(busy, 'idle');
  writeFileSync(list, '[{"id":1,"name":"one"}]');
  assert.is((await dockerctl('backup')).status, exitCodes.done);
  writeFileSync(list, '[{"id":1,"name":"one"},{"id":2,"name":"two"}]');
  writeFileSync(busy, 'running');
  assert.is((await dockerctl('restore', 'latest', '-y')).status, exitCodes.busy);
  rmSync(busy);
  const { status, stdout } = await dockerctl('restore', 'latest', '-y');
  assert.is(status, exitCodes.done);
  assert.match(stdout, /^nodes two: reset it$/m);
  await dockerctl('restore', '--drop-old', '-y');
  writeFileSync(file, old, { mode: 0o600 });
});

test('with --to and --repository, neither deployment file nor engine is needed', async () => {
  const to = join(root, 'out');
  const argv = [
    'restore',
    'latest',
    '--to',
    to,
    '--repository',
    join(root, 'repository'),
    '-y',
    '--state-dir',
  ];
  const { status, stderr } = await runCli([...argv, join(root, 'other-state')], { workingDirectory: '/' });
  assert.is(status, exitCodes.done, stderr);
  assert.is(readFileSync(join(to, 'puppet', live, 'manifests/site.pp'), 'utf8'), 'node default {}');
  assert.ok(existsSync(join(to, 'deployment/deployment.yaml')));
  rmSync(to, { recursive: true });
});

test('what cannot be done is told by its exit status', async () => {
  for (const [argv, wanted] of [
    [[], exitCodes.usage],
    [['latest', '--status'], exitCodes.usage],
    [['nosuchsnapshot'], exitCodes.notFound],
    [['latest', '--only', 'nosuchsource', '-y'], exitCodes.notFound],
    [['--resume'], exitCodes.notFound],
    [['--rollback', '-y'], exitCodes.notFound],
  ] as const) {
    assert.is((await dockerctl('restore', ...argv)).status, wanted, argv.join(' '));
  }
});

test('a host without an engine and without services is restored, and taken back', async () => {
  const plain = (...argv: string[]) => dockerctl('--host', 'unix:///nonexistent/docker.sock', ...argv);
  writeFileSync(join(live, 'manifests/site.pp'), 'changed');
  const { status, stderr } = await plain('restore', 'latest', '-y');
  assert.is(status, exitCodes.done, stderr);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'node default {}');
  assert.is((await plain('restore', '--rollback', '-y')).status, exitCodes.done);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'changed');
});

test('a snapshot that --only swallowed is asked for in front of it', async () => {
  const { status, stderr } = await dockerctl('restore', '--only', 'puppet', 'latest');
  assert.is(status, exitCodes.usage);
  assert.match(stderr, /Name the snapshot before --only/);
});

test('a damaged pack is damage, and the directory stays as it was', async () => {
  writeFileSync(join(live, 'manifests/site.pp'), 'precious');
  const blobs = join(root, 'repository/blobs/sha256');
  for (const name of readdirSync(blobs)) {
    const path = join(blobs, name);
    const bytes = readFileSync(path);
    if (bytes.readUInt32LE(0) !== 0xfd2fb528) continue; // Not a zstd frame.
    bytes[bytes.length >> 1]! ^= 0xff;
    writeFileSync(path, bytes);
  }
  const { status, stderr } = await dockerctl('restore', 'latest', '-y');
  assert.is(status, exitCodes.damaged, stderr);
  assert.is(readFileSync(join(live, 'manifests/site.pp'), 'utf8'), 'precious');
  assert.equal(readdirSync(live), ['manifests']);
});

test.run();

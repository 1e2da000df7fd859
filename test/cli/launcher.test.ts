import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('the command starts where cron, or nobody, has set a PATH', () => {
  for (const env of [{}, { PATH: '' }, { PATH: '/usr/bin:/bin' }]) {
    const { status, stderr } = spawnSync('bin/dockerctl', ['--version'], { env, encoding: 'utf8' });
    assert.is(stderr, '');
    assert.is(status, 0);
  }
});

test('a word or a directory that is not UTF-8 is refused: another path than the one that was meant was written to', () => {
  const home = temporaryDirectory();
  const odd = Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff])]);
  mkdirSync(odd);
  const script = `cd "$1" && printf '\\377' | xargs -I{} "$2" backup receive ./{}`;
  const refused = (directory: string, command = script) =>
    spawnSync('sh', ['-c', command, 'sh', directory, resolve('bin/dockerctl')], { encoding: 'utf8' });
  const byWord = refused(home);
  assert.match(
    byWord.stderr,
    'reading the command line: ./\uFFFD is not UTF-8\n  Reach such a path by a link',
  );
  const byDirectory = refused(home, `cd "$1"/* && "$2" backup receive new; echo $?`);
  assert.match(byDirectory.stderr, 'is not UTF-8\n  Change to another directory');
  assert.match(
    refused(home, 'mkdir "$1/gone" && cd "$1/gone" && rmdir "$1/gone" && "$2" list').stderr,
    'it was removed',
  );
  assert.is(byDirectory.stdout, '2\n');
  assert.equal(readdirSync(home, { encoding: 'buffer' }), [Buffer.from([0xff])]);
  assert.equal(readdirSync(odd), []);
});

test('SIGUSR1 opens no debugger, and ends nothing', async () => {
  const directory = join(temporaryDirectory(), 'repository');
  const child = spawn('bin/dockerctl', ['backup', 'receive', directory]);
  const said: string[] = [];
  child.stderr.on('data', (text) => void said.push(String(text)));
  while (!existsSync(join(directory, 'index.json'))) await setTimeout(20);
  child.kill('SIGUSR1');
  await setTimeout(300);
  child.stdin.end();
  const [status] = await once(child, 'close');
  assert.equal([status, said.join('')], [0, '']);
});

test('whom nohup starts outlives its terminal; anybody else ends with it', async () => {
  const argv = ['bin/dockerctl', 'backup', 'receive'];
  for (const [how, expected] of [
    [['nohup', ...argv], 0],
    [['env', ...argv], 143],
  ] as const) {
    const directory = join(temporaryDirectory(), 'repository');
    const [program, ...rest] = [...how, directory] as [string, ...string[]];
    const child = spawn(program, rest, { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(child, 'close');
    while (!existsSync(join(directory, 'index.json'))) await setTimeout(20);
    child.kill('SIGHUP');
    if (expected === 0) {
      await setTimeout(300);
      child.stdin.end();
    }
    assert.equal(await ended, [expected, null], program);
  }
});

test("the thread that stores content has the room for young objects that it was started with, not the main one's", () => {
  const home = temporaryDirectory();
  const file = join(home, 'dockerctl.yaml');
  const said = join(home, 'megabytes');
  const preloaded = join(home, 'preloaded.cjs');
  writeFileSync(
    preloaded,
    `const { isMainThread, resourceLimits } = require('node:worker_threads');
    const { heap_size_limit } = require('node:v8').getHeapStatistics();
    const young = heap_size_limit / 1024 / 1024 - resourceLimits.maxOldGenerationSizeMb;
    if (!isMainThread) require('node:fs').writeFileSync(${JSON.stringify(said)}, String(young));`,
  );
  const backup = `{repository: ${home}/repository, signing-key: none, sources: {file: {paths: [${file}]}}}`;
  writeFileSync(file, `name: young\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  const env = { ...process.env, NODE_OPTIONS: `--require ${preloaded}` };
  execFileSync('bin/dockerctl', ['-f', file, '--state-dir', join(home, 'state'), 'backup'], { env });
  assert.is(readFileSync(said, 'utf8'), '3');
});

test('a program that it starts gets the environment of the user as it was', () => {
  const home = temporaryDirectory();
  const file = join(home, 'dockerctl.yaml');
  const hook = "[/bin/sh, -c, \"tr '\\\\0' '\\\\n' </proc/$$$$/environ >$$SAID\"]";
  const backup = `{repository: ${home}/repository, signing-key: none, sources: {file: {paths: [${file}]}}, on-success: [${hook}]}`;
  writeFileSync(file, `name: told\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  const ofUser = { PATH: '/usr/bin:/bin', LANG: 'C', SAID: join(home, 'environment') };
  for (const more of [
    {},
    { UV_THREADPOOL_SIZE: '3', MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: '/nowhere' },
    { MALLOC_ARENA_MAX: '', OPENSSL_ia32cap: ':~0x10000' },
  ]) {
    const env = { ...ofUser, ...more };
    execFileSync('bin/dockerctl', ['-f', file, '--state-dir', join(home, 'state'), 'backup'], { env });
    const got = readFileSync(ofUser.SAID, 'utf8').split('\n').filter(Boolean).sort();
    const wanted = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    // The shell that starts it says where it is.
    assert.equal(
      got.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line)),
      wanted.sort(),
    );
  }
});

test('that nohup started it stays with it, and is believed of nobody else', async () => {
  const home = temporaryDirectory();
  const file = join(home, 'dockerctl.yaml');
  const said = join(home, 'environment');
  const hook = `[/bin/sh, -c, "env >${said}"]`;
  const backup = `{repository: ${home}/repository, signing-key: none, sources: {file: {paths: [${file}]}}, on-success: [${hook}]}`;
  writeFileSync(file, `name: hung\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  execFileSync('nohup', ['bin/dockerctl', '-f', file, '--state-dir', join(home, 'state'), 'backup'], {
    stdio: 'ignore',
  });
  assert.not.match(readFileSync(said, 'utf8'), 'HANGUP');
  const directory = join(home, 'received');
  const child = spawn('bin/dockerctl', ['backup', 'receive', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, DOCKERCTL_IGNORES_HANGUP: 'yes' },
  });
  const ended = once(child, 'close');
  while (!existsSync(join(directory, 'index.json'))) await setTimeout(20);
  child.kill('SIGHUP');
  assert.equal(await ended, [143, null]);
});

test('asked to end once more, it leaves what never answers', async () => {
  const socket = join(temporaryDirectory(), 'silent.sock');
  const connected: Socket[] = [];
  const server = createServer((connection) => void connected.push(connection)).listen(socket);
  await once(server, 'listening');
  const file = join(temporaryDirectory(), 'dockerctl.yaml');
  writeFileSync(file, 'name: silent\nservices: {web: {image: web}}\n', { mode: 0o600 });
  const child = spawn('bin/dockerctl', ['-f', file, '--host', `unix://${socket}`, 'list', '-l']);
  const ended = once(child, 'close');
  while (connected.length === 0) await setTimeout(20);
  child.kill('SIGTERM');
  child.kill('SIGTERM'); // As `timeout` does.
  await setTimeout(400);
  assert.is(child.exitCode, null);
  // A busy machine may have told it of the first only now, and takes this one for the same.
  const asking = setInterval(() => child.kill('SIGTERM'), 400);
  assert.equal(await ended, [null, 'SIGTERM']); // A shell calls it 143.
  clearInterval(asking);
  for (const connection of connected) connection.destroy();
  server.close();
});

test.run();

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedError } from '../../../src/support/errors.ts';
import { failure } from '../../support/rejects.ts';
import { cleanUp, containers, create, outcome, output, run } from './world.ts';

const shared = await run();
test.after(cleanUp);

test('a command in a container gives both outputs and its exit status', async () => {
  const command = ['sh', '-c', 'echo out; echo bad >&2; echo "$A $PWD $(id -u)"; exit 42'];
  const exec = await containers.exec(shared, {
    command,
    environment: { A: 'b c' },
    user: 'nobody',
    workingDir: '/tmp',
  });
  assert.is(exec.stdin, undefined);
  assert.equal(await outcome(exec), ['out\nb c /tmp 65534\n', 'bad\n', 42]);
});

test('many short commands all report their own status', async () => {
  for (let status = 0; status < 20; status += 1) {
    const exec = await containers.exec(shared, { command: ['sh', '-c', `echo ${status}; exit ${status}`] });
    assert.equal(await outcome(exec), [`${status}\n`, '', status]);
  }
});

test('closing stdin half-way lets the command finish and its output arrive whole', async () => {
  const bytes = randomBytes(8 * 1024 * 1024);
  const exec = await containers.exec(shared, { command: ['sh', '-c', 'cat; echo done >&2'], stdin: true });
  Readable.from([bytes]).pipe(exec.stdin!);
  const [echoed, said, code] = await Promise.all([buffer(exec.stdout), text(exec.stderr), exec.exitCode]);
  assert.equal([said, code], ['done\n', 0]);
  assert.ok(echoed.equals(bytes));
});

test('a command that ends before it has read its input tells its output and status, and its writer does not hang', async () => {
  for (let round = 0; round < 10; round += 1) {
    const command = ['sh', '-c', 'head -c 1000 >/dev/null; seq 20000; echo bad >&2; exit 5'];
    const exec = await containers.exec(shared, { command, stdin: true });
    const written = failure(pipeline(Readable.from([Buffer.alloc(16 * 1024 * 1024)]), exec.stdin!));
    const [said, bad, code] = await outcome(exec);
    assert.equal([said.length, bad, code], [108894, 'bad\n', 5]);
    assert.match((await written).message, /EPIPE|ECONNRESET|ECANCELED|Premature close/);
  }
});

test('a slow reader holds the command back instead of filling memory', async () => {
  const exec = await containers.exec(shared, { command: ['sh', '-c', 'yes | head -c 100000000'] });
  exec.stderr.resume();
  await setTimeout(500);
  assert.ok(exec.stdout.readableLength < 1024 * 1024, `${exec.stdout.readableLength} bytes waited`);
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of exec.stdout) {
    hash.update(piece);
    length += piece.length;
  }
  assert.is(length, 100_000_000);
  assert.is(await exec.exitCode, 0);
});

test('with a tty everything is output, and the terminal can be resized', async () => {
  const exec = await containers.exec(shared, {
    command: ['sh', '-c', 'until [ -e /tmp/resized ]; do sleep 0.1; done; stty size; echo bad >&2'],
    tty: true,
  });
  await exec.resize(100, 40);
  await outcome(await containers.exec(shared, { command: ['sh', '-c', ': >/tmp/resized'] }));
  assert.equal(await outcome(exec), ['40 100\r\nbad\r\n', '', 0]);
});

test('a command that does not exist fails with a status or an error, never with success', async () => {
  const result = await containers
    .exec(shared, { command: ['/no/such/program'] })
    .then(outcome, (error) => error);
  if (result instanceof Error) assert.instance(result, FailedError);
  else assert.is.not(result[2], 0);
});

test('a container that does not run refuses commands', async () => {
  const name = await create();
  const error = await failure(containers.exec(name, { command: ['true'] }));
  assert.instance(error, FailedError);
  assert.match(error.message, /not running/);
});

test('closing a command that still runs ends its streams', async () => {
  const name = await run();
  const exec = await containers.exec(name, { command: ['sleep', '1000'] });
  exec.close();
  assert.equal(await output(exec), ['', '']);
  assert.instance(await failure(exec.exitCode), FailedError);
});

test('a command whose container is killed ends', async () => {
  const name = await run();
  const exec = await containers.exec(name, { command: ['sh', '-c', 'echo up; sleep 1000'] });
  await once(exec.stdout, 'readable');
  await containers.kill(name);
  assert.equal(await output(exec), ['up\n', '']);
  assert.is.not(await exec.exitCode.catch((error) => error), 0);
});

test.run();

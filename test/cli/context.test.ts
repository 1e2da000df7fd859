import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSession } from '../../src/cli/context.ts';
import { InterruptedError } from '../../src/support/errors.ts';

function stateDirectory(said: string | undefined, variable: string | undefined): string {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const environment = { DOCKERCTL_STATE_DIR: variable };
  const io = { ...streams, argv: [], environment, workingDirectory: '/' };
  const global = said === undefined ? {} : { stateDir: said };
  return createSession(io, { tellsOfWork() {} }, global, new AbortController().signal).context.stateDir;
}

test('the state lies where the option says, else the variable, else in its usual place', () => {
  assert.is(stateDirectory('/a', '/b'), '/a');
  assert.is(stateDirectory(undefined, '/b'), '/b');
  assert.is(stateDirectory(undefined, undefined), '/var/lib/dockerctl');
});

test('an empty variable is one that was never set, and no name of the working directory', () => {
  assert.is(stateDirectory(undefined, ''), '/var/lib/dockerctl');
  assert.is(stateDirectory('', '/b'), '/b');
  assert.is(stateDirectory('', ''), '/var/lib/dockerctl');
});

/** Asks at a terminal, where somebody then types these keys; returns what that comes to, and what stands there. */
async function ask(keys: string, signal = new AbortController().signal) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
  const io = { argv: [], environment: {}, workingDirectory: '/', stdin, stdout: new PassThrough(), stderr };
  const asked = createSession(io, { tellsOfWork() {} }, {}, signal).confirm('destroy it');
  const outcome = asked.then(
    () => undefined,
    (error: Error) => error,
  );
  await setTimeout(20);
  stdin.write(keys);
  return {
    error: await Promise.race([outcome, setTimeout(2000, 'no answer')]),
    screen: stderr.read() as string,
  };
}

test('yes is a confirmation, and anything else none', async () => {
  assert.is((await ask('yes\r')).error, undefined);
  const { error } = await ask('\r');
  assert.instance(error, InterruptedError);
  assert.is((error as Error).message, 'not confirmed: nothing was changed');
});

test('Ctrl-C and Ctrl-D at the question are a no, told in words and on a line of its own', async () => {
  for (const key of ['\x03', '\x04']) {
    const { error, screen } = await ask(key);
    assert.instance(error, InterruptedError);
    assert.is((error as Error).message, 'not confirmed: nothing was changed');
    assert.ok(screen.endsWith('\n'), JSON.stringify(screen));
  }
});

test('a signal that ends the command at the question is told as such', async () => {
  const controller = new AbortController();
  setTimeout(100).then(() => controller.abort(new InterruptedError('terminated')));
  const { error } = await ask('', controller.signal);
  assert.is((error as Error).message, 'terminated: nothing was changed');
});

test.run();

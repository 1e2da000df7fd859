import { PassThrough } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSession } from '../../src/cli/context.ts';

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

test.run();

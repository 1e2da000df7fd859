import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { archiveInputs } from '../../../src/cli/arguments/archive-inputs.ts';
import { openBackupRepository, readIdentities } from '../../../src/cli/arguments/backup-repository.ts';
import { createSession } from '../../../src/cli/context.ts';
import { encodeIdentity, generateIdentity } from '../../../src/repository/age/keys.ts';
import { InterruptedError, NotFoundError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';

/** A session at a terminal, and what stands on it by now. */
function atTerminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
  const io = { argv: [], environment: {}, workingDirectory: '/', stdin, stdout: new PassThrough(), stderr };
  const session = createSession(io, { tellsOfWork() {} }, {}, new AbortController().signal);
  return { stdin, session, screen: () => stderr.read() as string };
}

test('a key that is typed at the terminal is asked for, not shown, and leaves the terminal for further questions', async () => {
  const identity = generateIdentity();
  const { stdin, session, screen } = atTerminal();
  const reading = readIdentities(session, ['-']);
  await setTimeout(20);
  stdin.write(`# created: today\r\n# public key: age1…\r\n${encodeIdentity(identity)}\r`);
  assert.equal((await reading).map(encodeIdentity), [encodeIdentity(identity)]);
  assert.is(screen(), 'private key (AGE-SECRET-KEY-1…, not shown): \n');
  const asking = session.confirm('go on');
  await setTimeout(20);
  stdin.write('y\r');
  await asking;
});

test('Ctrl-C instead of a key ends the command, and says that nothing was done', async () => {
  const { stdin, session } = atTerminal();
  const reading = readIdentities(session, ['-']).catch((error: unknown) => error);
  await setTimeout(20);
  stdin.write('\x03');
  const error = await reading;
  assert.instance(error, InterruptedError);
  assert.is((error as Error).message, 'no private key was given: nothing was done');
});

test('who has no deployment file any more is told that the directory of the backups will do', async () => {
  const { session } = atTerminal();
  const error = await rejects(() => openBackupRepository(session, undefined), NotFoundError);
  assert.match(error.message, 'no deployment file');
  assert.match(error.advice ?? '', '--repository DIR');
});

test('an archive is not waited for at a terminal, where nobody can type one', () => {
  const { session } = atTerminal();
  assert.throws(() => archiveInputs(session.io, ['-']), /standard input: it is a terminal/);
});

test.run();

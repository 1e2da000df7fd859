import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  feedHostCommand,
  outputOfHostCommand,
} from '../../../src/deployment/commands/stream-host-command.ts';
import { DamagedError, FailedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;
const sh = (script: string) => ({ command: ['sh', '-c', script] });
const input = () => Readable.from([Buffer.from('saved')]);

test('what a command prints is passed on, and its complaints are told of when it succeeded', async () => {
  const complaints: string[] = [];
  const output = outputOfHostCommand(sh('echo hm >&2; printf whole'), never, (said) => complaints.push(said));
  assert.is(await text(output), 'whole');
  assert.equal(complaints, ['hm']);
});

test('a command that fails after its last byte has printed nothing that counts', async () => {
  const output = outputOfHostCommand(sh('printf half; echo first >&2; echo no room >&2; exit 3'), never);
  assert.is(String((await output.next()).value), 'half');
  assert.is((await rejects(() => output.next(), FailedError)).message, 'running sh: exit 3: no room');
});

test('a command whose time is up is ended', async () => {
  const late = { command: ['sleep', '60'], timeout: 0.1 };
  assert.is(
    (await rejects(() => text(outputOfHostCommand(late, never)), FailedError)).message,
    'running sleep: timed out',
  );
  await rejects(() => feedHostCommand(late, input(), never), FailedError);
});

test('a command is fed all of its input, and need not read it', async () => {
  const file = join(temporaryDirectory(), 'fed');
  await feedHostCommand(sh(`cat >${file}`), input(), never);
  assert.is(readFileSync(file, 'utf8'), 'saved');
  await feedHostCommand(sh('exec <&-; exit 0'), Readable.from([Buffer.alloc(1 << 20)]), never);
});

test('input that is damaged is what failed, not the command', async () => {
  async function* damaged(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half');
    throw new DamagedError('the pack is damaged');
  }
  const { message } = await rejects(
    () => feedHostCommand(sh('cat >/dev/null'), damaged(), never),
    DamagedError,
  );
  assert.is(message, 'the pack is damaged');
});

test.run();

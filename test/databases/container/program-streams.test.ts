import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { feed, lastOf } from '../../../src/databases/container/program-streams.ts';
import type { Execution } from '../../../src/engine/engine.ts';
import { FailedError, InterruptedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';

const purpose = 'dumping database shop of postgres';
const never = new AbortController().signal;

/** A program of which only the standard input matters. */
function programWith(stdin: Writable): Execution {
  return { stdin } as Partial<Execution> as Execution;
}

/** A program that takes nothing, and so makes whoever feeds it wait. */
function deafProgram(): Execution {
  return programWith(new Writable({ highWaterMark: 1, write() {} }));
}

/** Endless input that tells whether it was closed. */
function endlessInput(): { input: AsyncGenerator<Uint8Array>; isClosed: () => boolean } {
  let closed = false;
  async function* input(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      closed = true;
    }
  }
  return { input: input(), isClosed: () => closed };
}

test('a program is fed all of its input, and then told that this was all', async () => {
  const stdin = new PassThrough();
  const got = buffer(stdin);
  const pieces = [Buffer.from('create'), Buffer.from(' table'), Buffer.alloc(100_000, ';')];
  await feed(Readable.from(pieces), programWith(stdin), { purpose, signal: never }, never);
  assert.equal(await got, Buffer.concat(pieces));
});

test('input that fails is what failed, not the program', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half of it');
    throw new FailedError('the pack is damaged');
  }
  const stdin = new PassThrough().resume();
  const feeding = () => feed(broken(), programWith(stdin), { purpose, signal: never }, never);
  assert.is((await rejects(feeding, FailedError)).message, 'the pack is damaged');
});

test('a program that stops listening is no failure, and its input is closed', async () => {
  const { input, isClosed } = endlessInput();
  const stdin = new Writable({
    write: (_bytes, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });
  await feed(input, programWith(stdin), { purpose, signal: never }, never);
  assert.ok(isClosed());
});

test('the end of its output ends the feeding of a program that takes nothing any more', async () => {
  const { input, isClosed } = endlessInput();
  const ended = new AbortController();
  const feeding = feed(input, deafProgram(), { purpose, signal: never }, ended.signal);
  await setTimeout(1);
  ended.abort();
  await feeding;
  assert.ok(isClosed());
});

test('an interruption ends the feeding with its own reason', async () => {
  const { input, isClosed } = endlessInput();
  const interrupt = new AbortController();
  const program = { purpose, signal: interrupt.signal };
  const feeding = feed(input, deafProgram(), program, never);
  await setTimeout(1);
  interrupt.abort(new InterruptedError('interrupted by TERM'));
  assert.is((await rejects(() => feeding, InterruptedError)).message, 'interrupted by TERM');
  assert.ok(isClosed());
});

test('of what a program complains about the last lines are kept, from the beginning of one', async () => {
  const short = new PassThrough();
  const whole = lastOf(short);
  short.end('connection refused\n');
  await setTimeout(1);
  assert.is(whole(), 'connection refused');

  const long = new PassThrough();
  const last = lastOf(long);
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
  for (const line of lines) long.write(line);
  long.end();
  await setTimeout(1);
  const kept = last().split('\n');
  assert.is(kept.at(-1), 'line 999');
  assert.equal(
    kept,
    lines.slice(-kept.length).map((line) => line.trimEnd()),
  );
  assert.ok(last().length <= 4096 && last().length > 4000);
});

test.run();

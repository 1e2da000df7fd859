import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedError, InterruptedError } from '../../src/support/errors.ts';
import { watched } from '../../src/support/watched.ts';
import { rejects } from './rejects.ts';

const purpose = 'dumping database shop of postgres';
const never = new AbortController().signal;

test('what a program prints is passed on, and its timers go with it', async () => {
  const printed = Readable.from([Buffer.from('-- dump'), Buffer.from(' complete')]);
  assert.is(await text(watched(printed, { purpose, signal: never }, 60_000)), '-- dump complete');
});

test('a program that prints nothing for too long hangs', async () => {
  const silent = new PassThrough();
  silent.write('-- dump');
  const reading = () => text(watched(silent, { purpose, signal: never }, 60));
  const { message } = await rejects(reading, FailedError);
  assert.is(message, `${purpose}: nothing came for 0.001 minutes`);
});

test('only while somebody waits for a program is its silence counted', async () => {
  const stream = new PassThrough();
  stream.write('first');
  const pieces = watched(stream, { purpose, signal: never }, 300);
  assert.is(String((await pieces.next()).value), 'first');
  await setTimeout(400);
  stream.end('second');
  assert.is(String((await pieces.next()).value), 'second');
  assert.ok((await pieces.next()).done);
});

test('an interruption ends the output with its own reason', async () => {
  const interrupt = new AbortController();
  const stream = new PassThrough();
  const reading = text(watched(stream, { purpose, signal: interrupt.signal }));
  interrupt.abort(new InterruptedError('interrupted by TERM'));
  assert.is((await rejects(() => reading, InterruptedError)).message, 'interrupted by TERM');
  assert.ok(stream.destroyed);
});

test('an interruption that came before the first byte was asked for ends it as well', async () => {
  const stream = new PassThrough();
  const signal = AbortSignal.abort(new InterruptedError('interrupted by TERM'));
  const reading = text(watched(stream, { purpose, signal }));
  assert.is((await rejects(() => reading, InterruptedError)).message, 'interrupted by TERM');
});

test.run();

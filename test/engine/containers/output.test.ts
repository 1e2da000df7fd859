import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { outputOf } from '../../../src/engine/containers/output.ts';
import { FailedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

function frame(kind: number, content: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(Buffer.byteLength(content), 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

const frames = Buffer.concat([
  frame(1, 'one '),
  frame(2, 'bad '),
  frame(1, ''),
  frame(1, 'two'),
  frame(2, 'worse'),
]);

for (const size of [1, 2, 7, 8, 9, 1000]) {
  test(`frames cut into pieces of ${size} bytes are split into output and errors`, async () => {
    const pieces = [];
    for (let at = 0; at < frames.length; at += size) pieces.push(frames.subarray(at, at + size));
    const { stdout, stderr } = outputOf(Readable.from(pieces), false);
    assert.equal(await Promise.all([text(stdout), text(stderr)]), ['one two', 'bad worse']);
  });
}

test('with a tty bytes pass as they are', async () => {
  const { stdout, stderr } = outputOf(Readable.from([frames]), true);
  assert.equal(await Promise.all([text(stdout), text(stderr)]), [frames.toString(), '']);
});

test('a connection that ends inside a frame is an error, not an end', async () => {
  for (const length of [3, 10, frames.length - 1]) {
    const { stdout, stderr } = outputOf(Readable.from([frames.subarray(0, length)]), false);
    stderr.resume();
    const error = await text(stdout).catch((thrown: Error) => thrown.message);
    assert.match(error, /cut off/);
  }
});

test('a reader that falls behind stops the connection, and reading on resumes it', async () => {
  const connection = new PassThrough({ highWaterMark: 1024 });
  const { stdout } = outputOf(connection, false);
  const piece = frame(1, 'x'.repeat(64 * 1024));
  let sent = 0;
  while (connection.write(piece) && sent < 100) {
    sent += 1;
    await setImmediate();
  }
  assert.ok(sent < 10, `${sent} pieces went through`);
  connection.end();
  assert.is((await text(stdout)).length, (sent + 1) * 64 * 1024);
});

test('closing ends both streams', async () => {
  const { stdout, stderr, close } = outputOf(new PassThrough(), false);
  close();
  assert.equal(await Promise.all([text(stdout), text(stderr)]), ['', '']);
});

test('what was said before a connection was closed on unread input is told, and that is its end', async () => {
  const path = join(temporaryDirectory(), 'socket');
  const server = createServer({ pauseOnConnect: true }, (there) => {
    there.once('close', () => server.close()).end(frames, () => there.destroy());
  }).listen(path);
  await once(server, 'listening');
  const connection = connect(path);
  connection.write(Buffer.alloc(50_000));
  const { stdout, stderr } = outputOf(connection, false);
  assert.equal(await Promise.all([text(stdout), text(stderr)]), ['one two', 'bad worse']);
});

test('output that ends within a frame is cut off, also where input was not read', async () => {
  const path = join(temporaryDirectory(), 'socket');
  const server = createServer({ pauseOnConnect: true }, (there) => {
    there.once('close', () => server.close()).end(frames.subarray(0, 10), () => there.destroy());
  }).listen(path);
  await once(server, 'listening');
  const connection = connect(path);
  connection.write(Buffer.alloc(50_000));
  const { message } = await rejects(() => text(outputOf(connection, false).stdout), FailedError);
  assert.match(message, 'cut off');
});

test.run();

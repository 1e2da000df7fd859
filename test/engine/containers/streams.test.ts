import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { extract, pack } from 'tar-stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InterruptedError, NotFoundError } from '../../../src/support/errors.ts';
import { failure } from '../../support/rejects.ts';
import { cleanUp, containers, outcome, output, run } from './world.ts';

const shared = await run();
test.after(cleanUp);

test('logs can be read whole, from the end, since a moment, and followed', async () => {
  const script = 'echo one; echo bad >&2; until [ -e /tmp/go ]; do sleep 0.1; done; echo two';
  const name = await run({ command: ['sh', '-c', script] });
  const first = await containers.logs(name, { follow: true });
  await Promise.all([once(first.stdout, 'readable'), once(first.stderr, 'readable')]);
  assert.equal(await output(await containers.logs(name)), ['one\n', 'bad\n']);
  const later = new Date();
  await outcome(await containers.exec(name, { command: ['sh', '-c', 'echo > /tmp/go'] }));
  assert.equal(await output(first), ['one\ntwo\n', 'bad\n']);
  assert.equal(await output(await containers.logs(name, { since: later })), ['two\n', '']);
  assert.equal(await output(await containers.logs(name, { tail: 1 })), ['two\n', '']);
  const [stamped] = await output(await containers.logs(name, { timestamps: true, tail: 1 }));
  assert.match(stamped, /^\d{4}-\d\d-\d\dT\S+Z two\n$/);
});

test('logs of a container with a tty come unframed', async () => {
  const name = await run({ command: ['sh', '-c', 'echo one; echo bad >&2'], tty: true });
  await containers.wait(name);
  assert.equal(await output(await containers.logs(name)), ['one\r\nbad\r\n', '']);
});

test('following logs can be stopped', async () => {
  const name = await run({ command: ['sh', '-c', 'echo one; sleep 1000'] });
  const logs = await containers.logs(name, { follow: true });
  await once(logs.stdout, 'readable');
  logs.close();
  assert.equal(await output(logs), ['one\n', '']);
});

test('attaching follows output from now on and passes input in', async () => {
  const name = await run({
    command: ['sh', '-c', 'read line; echo "got $line"; read line; echo bad >&2'],
    openStdin: true,
  });
  const stdin = new PassThrough();
  const attached = await containers.attach(name, { stdin });
  stdin.write('a line\n');
  await once(attached.stdout, 'readable');
  stdin.write('another\n');
  assert.equal(await output(attached), ['got a line\n', 'bad\n']);
  assert.is(await containers.wait(name), 0);
});

test('waiting ends with the exit status, or when it is interrupted', async () => {
  const short = await run({ command: ['sh', '-c', 'exit 7'] });
  assert.is(await containers.wait(short), 7);
  const long = await run();
  const interrupt = new AbortController();
  const waiting = failure(containers.wait(long, { signal: interrupt.signal }));
  await setTimeout(100);
  interrupt.abort();
  assert.instance(await waiting, InterruptedError);
});

test('files go into a container and come out of it as tar', async () => {
  const name = await run();
  const tar = pack();
  tar.entry({ name: 'note', mode: 0o640, uid: 5, gid: 6 }, 'a note');
  tar.finalize();
  await containers.writeArchive(name, '/tmp', Readable.from(tar));
  const entries = extract();
  (await containers.readArchive(name, '/tmp/note')).pipe(entries);
  const found = [];
  for await (const entry of entries) {
    found.push([
      entry.header.name,
      (entry.header.mode ?? 0) & 0o7777,
      entry.header.uid,
      entry.header.gid,
      await text(entry),
    ]);
  }
  assert.equal(found, [['note', 0o640, 5, 6, 'a note']]);
  assert.instance(await failure(containers.readArchive(name, '/no/such')), NotFoundError);
});

test('a tar that breaks on its way into a container is told, and does not hang', async () => {
  const broken = new Readable({ read() {} });
  broken.push(Buffer.alloc(512));
  const writing = failure(containers.writeArchive(shared, '/tmp', broken));
  broken.destroy();
  assert.match((await writing).message, 'closed before its end');
});

test.run();

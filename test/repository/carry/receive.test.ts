import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { encodeMessage, protocol } from '../../../src/repository/carry/messages.ts';
import type { Outgoing } from '../../../src/repository/carry/outgoing.ts';
import { receive } from '../../../src/repository/carry/receive.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { configLimit } from '../../../src/repository/snapshot/media-types.ts';
import { FailedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { makeRepository, wholeSnapshots } from './exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const { directory, snapshots } = await makeRepository(root, context, { snapshots: 2 });
const ids = snapshots.map(({ id }) => id);
const said = await conversation(ids[0]!);
const newDirectory = () => join(mkdtempSync(join(root, 'to-')), 'repository');

/** All that a sender says to a receiver that has nothing. */
async function conversation(id: string): Promise<Buffer> {
  const repository = await openRepository(directory, context);
  try {
    return Buffer.concat(await Array.fromAsync(spoken(await repository.outgoing(await repository.find(id)))));
  } finally {
    await repository.close();
  }
}

async function* spoken({ manifest, blobs, read }: Outgoing): AsyncGenerator<Uint8Array> {
  yield encodeMessage({ protocol, send: digestOf(manifest), bytes: manifest.length });
  yield manifest;
  for (const blob of blobs) {
    yield encodeMessage({ blob: blob.digest, bytes: blob.size });
    yield* read(blob);
  }
}

/** What a receiver answers to these bytes and to as many MiB of zeros, how many of those it takes, and how it ends. */
async function hear(
  to: string,
  bytes: Uint8Array,
  { appendOnly = false, pieceSize = 1 << 16, patience = 600, mebibytesMore = 0 } = {},
): Promise<{ answers: Record<string, unknown>[]; error: unknown; taken: number }> {
  let taken = 0;
  async function* input(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    for (; taken < mebibytesMore; taken++) yield Buffer.alloc(1 << 20);
  }
  const answers: Record<string, unknown>[] = [];
  const write = async (message: Uint8Array) => {
    answers.push(JSON.parse(Buffer.from(message).toString('utf8', 4)));
  };
  const open = () => openOrCreateRepository(to, context);
  const error = await receive(open, { input: input(), write }, { appendOnly, patience }, context).catch(
    (e) => e,
  );
  return { answers, error, taken };
}

test('a receiver says what it lacks, takes it, and then has the snapshot', async () => {
  for (const pieceSize of [1 << 16, 1]) {
    const to = newDirectory();
    const { answers, error } = await hear(to, said, { pieceSize });
    assert.is(error, undefined);
    assert.is((answers[0]!.lacks as string[]).length, 4);
    assert.equal(answers[1], { stored: ids[0], existed: false });
    assert.equal(await wholeSnapshots(to, context), [ids[0]]);
    assert.ok(existsSync(join(to, 'reserve')), 'with nothing free it can be removed again');
  }
});

test('several snapshots come over one connection, and one that is there lacks nothing', async () => {
  const to = newDirectory();
  const manifestOnly = said.subarray(
    0,
    4 + said.readUInt32BE() + JSON.parse(said.toString('utf8', 4, 4 + said.readUInt32BE())).bytes,
  );
  const { answers } = await hear(to, Buffer.concat([said, manifestOnly]));
  assert.equal(answers.slice(1), [
    { stored: ids[0], existed: false },
    { lacks: [] },
    { stored: ids[0], existed: true },
  ]);
});

test('wherever the sender falls silent nothing is visible, and what arrived is not asked for again', async () => {
  const to = newDirectory();
  let lacked = 4;
  for (let length = 1; length < said.length; length += Math.ceil(said.length / 40)) {
    const { answers, error } = await hear(to, said.subarray(0, length));
    assert.instance(error, Error, `${length} bytes`);
    assert.ok('error' in (answers.at(-1) ?? {}));
    const asked = answers.find((answer) => 'lacks' in answer)?.lacks as string[] | undefined;
    if (asked !== undefined) assert.ok(asked.length <= lacked);
    assert.equal(await wholeSnapshots(to, context), []);
    assert.equal(readdirSync(join(to, 'tmp')), []);
    if (asked !== undefined && asked.length < 4) break;
    lacked = asked?.length ?? lacked;
  }
});

test('whatever byte is spoilt on the way, nothing wrong is kept', async () => {
  for (let at = 0; at < said.length; at += 431) {
    const spoilt = Buffer.from(said);
    spoilt[at]! ^= 0x01;
    const to = newDirectory();
    const { error } = await hear(to, spoilt);
    assert.instance(error, Error, `byte ${at}`);
    assert.equal(await wholeSnapshots(to, context), [], `byte ${at}`);
  }
});

test('what is not this protocol, or longer than anything of it, is refused at once', async () => {
  const huge = Buffer.alloc(8, 0xff);
  const login = Buffer.from('Welcome to vault!\n');
  const next = Buffer.from('\0\0\0\x2c{"protocol":2,"send":"sha256:00","bytes":12}');
  const big = encodeMessage({ protocol, send: digestOf('x'), bytes: 1e9 });
  for (const bytes of [huge, login, next, big]) {
    const { error, answers, taken } = await hear(newDirectory(), bytes, { mebibytesMore: 32 });
    assert.instance(error, Error);
    assert.ok('error' in (answers[0] ?? {}));
    assert.ok(taken < 4, `${taken} MiB were taken in`);
  }
});

test('a config that is longer than any is refused before it comes', async () => {
  const length = said.readUInt32BE();
  const { bytes } = JSON.parse(said.toString('utf8', 4, 4 + length)) as { bytes: number };
  const manifest = JSON.parse(said.toString('utf8', 4 + length, 4 + length + bytes));
  manifest.config.size = configLimit + 1;
  const text = Buffer.from(JSON.stringify(manifest));
  const { digest: blob, size } = manifest.config;
  const request = encodeMessage({ protocol, send: digestOf(text), bytes: text.length });
  const begun = Buffer.concat([request, text, encodeMessage({ blob, bytes: size })]);
  const { error, taken } = await hear(newDirectory(), begun, { mebibytesMore: 32 });
  assert.match((error as Error).message, `it has ${size} bytes, at most ${configLimit} do`);
  assert.ok(taken < 4, `${taken} MiB were taken in`);
});

test('append-only refuses to remove, and tells the sender; else snapshots can be removed', async () => {
  const to = newDirectory();
  await hear(to, said);
  const request = encodeMessage({ protocol, remove: [ids[0]!.slice(7, 19)] });
  const refused = await hear(to, request, { appendOnly: true });
  assert.match((refused.answers[0]!.error as { message: string }).message, 'added to only');
  assert.equal(await wholeSnapshots(to, context), [ids[0]]);
  const removed = await hear(to, request);
  assert.equal((removed.answers[0]!.removed as { snapshots: string[] }).snapshots, [ids[0]]);
  assert.equal(await wholeSnapshots(to, context), []);
});

test('a repository that is in use says so to the sender', async () => {
  const to = newDirectory();
  const other = await openOrCreateRepository(to, context);
  const run = await other.beginRun({ host: 'h', deployment: 'd', release: undefined }, context);
  const { answers } = await hear(to, said, { patience: 0 });
  assert.is((answers[0]!.error as { name: string }).name, 'LockedError');
  const waiting = hear(to, said);
  await setTimeout(50);
  await run.abandon();
  await other.close();
  assert.equal((await waiting).answers[1], { stored: ids[0], existed: false }, 'it waits for its turn');
});

test('a sender that falls silent does not keep the next one out', async () => {
  const to = newDirectory();
  async function* input(): AsyncGenerator<Uint8Array> {
    yield said.subarray(0, said.length - 100);
    await new Promise(() => {});
  }
  const connection = { input: input(), write: async () => {} };
  const open = () => openOrCreateRepository(to, context);
  const error = await rejects(
    () => receive(open, connection, { appendOnly: true, patience: 0.2 }, context),
    FailedError,
  );
  assert.match(error.message, /has said nothing for 0.2 seconds/);
  const next = await openRepository(to, context);
  await (await next.beginRun({ host: 'h', deployment: 'd', release: undefined }, context)).abandon();
  await next.close();
});

test('nor does one that sends byte by byte', async () => {
  const to = newDirectory();
  async function* input(): AsyncGenerator<Uint8Array> {
    yield said.subarray(0, 5000);
    for (let at = 5000; ; at++) {
      await setTimeout(5);
      yield said.subarray(at, at + 1);
    }
  }
  const connection = { input: input(), write: async () => {} };
  const open = () => openOrCreateRepository(to, context);
  const error = await rejects(
    () => receive(open, connection, { appendOnly: true, patience: 1 }, context),
    FailedError,
  );
  assert.match(error.message, /no more than \d+ bytes came in 1 seconds/);
  const next = await openRepository(to, context);
  await (await next.beginRun({ host: 'h', deployment: 'd', release: undefined }, context)).abandon();
  await next.close();
});

test.run();

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IngestPool } from '../../../src/repository/ingest/pool.ts';
import type { FileToStore } from '../../../src/repository/run/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const directory = openSync(root, 'r');
const mebibyte = 1024 * 1024;

function fileOf(name: string, size: number): FileToStore {
  const lines = Array.from({ length: 1024 }, () => `${randomBytes(200).toString('hex')}\n`).join('');
  writeFileSync(join(root, name), Buffer.alloc(size, lines));
  const { dev: device, ino: inode, blocks } = statSync(join(root, name));
  return { directory, name, device, inode, size, blocks, ctime: 0n };
}

function startPool(name: string): IngestPool {
  const pool = new IngestPool();
  pool.begin({
    seed: randomBytes(32),
    packPrefix: join(root, name),
    packGoal: 8 * mebibyte,
    recipients: [],
    directory: root,
    onAsk: (_, sizes) => new Uint8Array(sizes.length).fill(1),
    onPack: () => {},
  });
  return pool;
}

test('threads end at any moment: while they load what they need, compress, and write', async () => {
  const file = fileOf('log', 24 * mebibyte);
  for (let i = 0; i < 40; i++) {
    const pool = startPool(`ended-${i}`);
    pool.storeFiles([file]).catch(() => {});
    await wait(i * 3);
    await pool.close();
    await pool.close();
  }
});

test('threads that were never told what for end, too', async () => {
  for (let i = 0; i < 10; i++) {
    const pool = new IngestPool();
    await wait(i * 10);
    await pool.close();
  }
});

test('a thread that ends by itself fails what it had to store, and what comes after', async () => {
  const started = once(process, 'worker') as Promise<[Worker]>;
  const pool = startPool('alone');
  const [worker] = await started;
  const stored = pool.storeFiles([fileOf('other', 24 * mebibyte)]);
  worker.postMessage({ kind: 'leave' });
  const message = /thread that stores content has ended/;
  await stored.then(
    () => assert.unreachable('it was stored'),
    (error: Error) => assert.match(error.message, message),
  );
  await pool.finish().then(
    () => assert.unreachable('it was finished'),
    (error: Error) => assert.match(error.message, message),
  );
  await pool.close();
});

test('a stream is not read on once nothing of it can be stored any more', async () => {
  const pool = startPool(join('no-such-directory', 'pack'));
  let read = 0;
  async function* dump(): AsyncGenerator<Uint8Array> {
    for (; read < 256; read++) {
      yield randomBytes(mebibyte);
      await wait(1);
    }
  }
  await pool.storeStream(dump()).then(
    () => assert.unreachable('it was stored'),
    (error: Error) => assert.match(error.message, /ENOENT/),
  );
  await pool.close();
  assert.ok(read < 64, `${read} MiB were read`);
});

test.after(() => closeSync(directory));

test.run();

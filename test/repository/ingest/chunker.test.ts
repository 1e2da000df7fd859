import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { gearTable } from '../../../src/repository/chunks/gear.ts';
import { Chunker, type Read } from '../../../src/repository/ingest/chunker.ts';
import { FrameBuffers } from '../../../src/repository/packs/frame-buffer.ts';
import { chunksInFrame } from '../../../src/repository/packs/tar-frame.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const gear = gearTable(new Uint8Array(32));
const [minimum, maximum] = [512 * 1024, 4 * 1024 * 1024];

test('content is cut where its bytes say, however it comes, and lies in frames as it was', async () => {
  const content = Buffer.concat([noise(9 * maximum), Buffer.alloc(2 * maximum + 1000), noise(3000)]);
  const expected = cutPlainly(content);
  assert.ok(expected.length > 30);
  for (const most of [Number.POSITIVE_INFINITY, 65_536, 300_001]) {
    const { stored, chunks } = await store([content], most);
    assert.equal(stored, [expected], `pieces of ${most}`);
    assert.equal(chunks, expected);
  }
});

test('cuts stay where they are from version to version', async () => {
  const { stored } = await store([noise(3 * maximum)]);
  assert.is(
    createHash('sha256').update(stored.flat().join()).digest('hex'),
    '07bdced996569126f6d99468bb39ec5a7db321003751a353bd07696d539bb962',
  );
});

test('many contents share frames: small ones, empty ones, and large ones of every length', async () => {
  const random = seededRandom(7);
  const lengths = Array.from({ length: 60 }, (_, i) => {
    return Math.floor(random() * [3000, minimum, 2 * maximum, 600 * 1024, 2][i % 5]!);
  });
  lengths.push(minimum, minimum + 1, maximum, maximum - 1, maximum + 1, 0);
  const contents = lengths.map((length) => noise(length));
  const { stored, chunks } = await store(contents);
  assert.equal(stored, contents.map(cutPlainly));
  assert.equal(chunks, stored.flat());
});

test('content that does not count leaves nothing behind', async () => {
  const frames: string[][] = [];
  const chunker = chunkerInto(frames);
  const taken = await chunker.addSmall(100, readFrom(noise(100)), () => true);
  assert.is(await chunker.addSmall(5000, readFrom(noise(5000)), () => false), undefined);
  assert.is((await chunker.addSmall(50, readFrom(noise(20)), (length) => length === 20))?.length, 1);
  chunker.flush();
  assert.is(frames.length, 1);
  assert.is(frames[0]?.length, 2);
  assert.is(frames[0]?.[0], taken?.[0]);
});

async function store(contents: readonly Buffer[], most?: number) {
  const frames: string[][] = [];
  const chunker = chunkerInto(frames);
  const stored: string[][] = [];
  for (const content of contents) {
    const read = readFrom(content, most);
    const small = content.length <= minimum;
    stored.push(
      small
        ? (await chunker.addSmall(content.length, read, () => true))!
        : (await chunker.addLarge(read)).chunks,
    );
  }
  chunker.flush();
  return { stored, chunks: frames.flat() };
}

/** Checks the frames that come, notes the digests of their content, and releases them a moment later. */
function chunkerInto(frames: string[][]): Chunker {
  const buffers = new FrameBuffers(2);
  return new Chunker(gear, buffers, (frame) => {
    const entries = [...chunksInFrame(frame.bytes)];
    for (const { hex, offset, size } of entries)
      assert.is(hexOf(digestOf(frame.bytes.subarray(offset, offset + size))), hex);
    assert.equal(
      frame.sizes,
      entries.map(({ size }) => size),
    );
    frames.push(entries.map(({ hex }) => hex));
    setImmediate(() => buffers.release(frame));
  });
}

function readFrom(content: Buffer, most = Number.POSITIVE_INFINITY): Read {
  let at = 0;
  return (buffer, offset) => {
    const got = content.copy(buffer, offset, at, Math.min(content.length, at + most));
    at += got;
    return got;
  };
}

/** What the format says, one byte after the other. */
function cutPlainly(content: Buffer): string[] {
  const chunks: string[] = [];
  for (let from = 0; from < content.length; ) {
    let hash = 0;
    let to = from;
    for (; to < content.length && to - from < maximum; ) {
      hash = ((hash << 1) + gear[content[to]!]!) | 0;
      if (to++ - from >= minimum && hash >>> 13 === 0) break;
    }
    chunks.push(hexOf(digestOf(content.subarray(from, to))));
    from = to;
  }
  return chunks;
}

function noise(length: number): Buffer {
  const random = seededRandom(length + 1);
  const content = Buffer.alloc(length);
  for (let i = 0; i < length; i++) content[i] = random() * 256;
  return content;
}

test.run();

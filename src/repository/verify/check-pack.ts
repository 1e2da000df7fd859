import { hash } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { DamagedError } from '../../support/errors.ts';
import { freeNow } from '../../support/free-now.ts';
import { decompress } from '../blobs/zstd.ts';
import type { Frame, PackContents } from '../packs/index-lines.ts';
import { type OpenPack, openPack } from '../packs/open-pack.ts';
import { readPackIndex } from '../packs/read-pack-index.ts';
import { isChunkHeader, offsetsIn } from '../packs/tar-frame.ts';
import type { Store } from '../seal/store.ts';
import { packsOf, type StoredSnapshot } from '../snapshot/stored.ts';

/**
 * What the indexes tell of every pack that a snapshot needs, one index after the other, as often as one tells of the
 * pack: not all need say the same, for anybody may have sent a snapshot. Damaged indexes are left out.
 */
export async function* readEveryTelling(
  store: Store,
  stored: readonly StoredSnapshot[],
): AsyncGenerator<{ index: Digest; contents: PackContents }> {
  const needed = packsOf(stored);
  const indexes = new Set(stored.flatMap(({ parts }) => parts.indexes.map(({ digest }) => digest)));
  for (const index of indexes) {
    for (const contents of await readIndexPacks(store, index)) {
      if (needed.has(contents.pack)) yield { index, contents };
    }
  }
}

/** Nothing where it is damaged. */
export async function readIndexPacks(store: Store, digest: Digest): Promise<PackContents[]> {
  try {
    return (await readPackIndex(store, { digest })).packs;
  } catch (error) {
    if (error instanceof DamagedError) return [];
    throw error;
  }
}

/** Decompresses a pack frame by frame and checks every chunk; what is wrong, if anything. */
export async function checkPack(store: Store, contents: PackContents): Promise<string | undefined> {
  for await (const { wrong } of damagedFrames(store, contents)) return wrong;
  return undefined;
}

/** The chunks of a pack that cannot be read as they were written. */
export async function findDamagedChunks(store: Store, contents: PackContents): Promise<Set<string>> {
  const damaged = new Set<string>();
  for await (const { chunks } of damagedFrames(store, contents)) {
    for (const chunk of chunks) damaged.add(chunk);
  }
  return damaged;
}

/** Digests of a frame's chunks, in order. */
export function chunksOf({ sizes, chunks }: Pick<Frame, 'sizes' | 'chunks'>): string[] {
  return sizes.map((_, i) => chunks.slice(i * 64, i * 64 + 64));
}

interface DamagedFrame {
  wrong: string;
  chunks: string[];
}

/** So many frames are read and decompressed while the chunks of one are hashed. */
const framesAhead = 2;

async function* damagedFrames(store: Store, { pack, frames }: PackContents): AsyncGenerator<DamagedFrame> {
  const path = blobPath(store, pack);
  const checks: Promise<DamagedFrame | undefined>[] = [];
  let file: OpenPack | undefined;
  try {
    file = await openPack(store, pack);
    let offset = 0;
    for (const [i, frame] of frames.entries()) {
      const check = checkFrame(file, offset, frame, path);
      check.catch(() => {}); // It is told when its turn comes.
      checks.push(check);
      offset += frame.length;
      while (checks.length > (i < frames.length - 1 ? framesAhead : 0)) {
        const damaged = await checks.shift();
        if (damaged !== undefined) yield damaged;
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    yield { wrong: error.message, chunks: frames.flatMap(chunksOf) };
  } finally {
    await Promise.allSettled(checks);
    await file?.close();
  }
}

async function checkFrame(
  file: OpenPack,
  offset: number,
  frame: Frame,
  path: string,
): Promise<DamagedFrame | undefined> {
  try {
    const packed = await file.read(offset, frame.length);
    const { length } = offsetsIn(frame.sizes);
    const bytes = await decompress(packed, length, path, length);
    freeNow(packed);
    const damaged = checkChunks(bytes, frame);
    freeNow(bytes);
    return damaged;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return { wrong: error.message, chunks: chunksOf(frame) };
  }
}

/** A chunk that only `tar` would not find by its name can be read all the same. */
function checkChunks(bytes: Buffer, frame: Frame): DamagedFrame | undefined {
  const chunks: string[] = [];
  let wrong: string | undefined;
  const { offsets } = offsetsIn(frame.sizes);
  for (const [i, want] of chunksOf(frame).entries()) {
    const [offset, size] = [offsets[i]!, frame.sizes[i]!];
    const got = hash('sha256', bytes.subarray(offset, offset + size));
    if (got !== want) {
      chunks.push(want);
      wrong ??= `the chunk ${want} has digest ${got}`;
    } else if (!isChunkHeader(bytes, offset - 512, want, size)) {
      wrong ??= `the chunk ${want} has another name in the archive`;
    }
  }
  return wrong === undefined ? undefined : { wrong, chunks };
}

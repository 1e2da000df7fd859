import { hash } from 'node:crypto';
import { DamagedError } from '../../support/errors.ts';
import { decompress } from '../blobs/zstd.ts';
import type { ChunkTable } from '../chunks/table.ts';
import type { Frame, PackContents } from '../packs/index-lines.ts';
import { openPack } from '../packs/open-pack.ts';
import { offsetsIn } from '../packs/tar-frame.ts';
import type { Store } from '../seal/store.ts';

/** How many bytes of a pack's chunks are still named by a tree, and how many there are. */
export function countLive({ frames }: PackContents, live: ChunkTable): { live: number; total: number } {
  const count = { live: 0, total: 0 };
  for (const { chunk, size } of frames.flatMap(chunksOf)) {
    count.total += size;
    if (live.findHex(chunk) >= 0) count.live += size;
  }
  return count;
}

/**
 * The chunks of a pack that are still named, each checked. Frames without any are passed over.
 * @throws {DamagedError} @throws {SignatureError}
 */
export async function* readLive(
  store: Store,
  { pack, frames }: PackContents,
  live: ChunkTable,
): AsyncGenerator<{ chunk: string; bytes: Uint8Array }> {
  const file = await openPack(store, pack);
  try {
    let at = 0;
    for (const frame of frames) {
      const named = chunksOf(frame).filter(({ chunk }) => live.findHex(chunk) >= 0);
      if (named.length > 0) {
        const { length } = offsetsIn(frame.sizes);
        const content = await decompress(await file.read(at, frame.length), length, `pack ${pack}`, length);
        for (const { chunk, offset, size } of named) {
          yield { chunk, bytes: checked(content.subarray(offset, offset + size), chunk, pack) };
        }
      }
      at += frame.length;
    }
  } finally {
    await file.close();
  }
}

function chunksOf({ sizes, chunks }: Frame): { chunk: string; offset: number; size: number }[] {
  return offsetsIn(sizes).offsets.map((offset, i) => {
    return { chunk: chunks.slice(i * 64, i * 64 + 64), offset, size: sizes[i]! };
  });
}

function checked(bytes: Uint8Array, chunk: string, pack: string): Uint8Array {
  if (hash('sha256', bytes) === chunk) return bytes;
  throw new DamagedError(`the chunk ${chunk} in pack ${pack} is damaged`, { facts: { chunk, pack } });
}

import { hash } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { DamagedError } from '../../support/errors.ts';
import { readMetadata } from '../blobs/metadata.ts';
import { decompress } from '../blobs/zstd.ts';
import { decodeIndex, type Frame, type PackContents } from '../packs/index-lines.ts';
import { openPack } from '../packs/open-pack.ts';
import { isChunkHeader, offsetsIn } from '../packs/tar-frame.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/load.ts';

/** What the indexes tell of every pack that a snapshot needs, each once. Damaged indexes are left out. */
export async function readPackContents(
  store: Store,
  stored: readonly StoredSnapshot[],
): Promise<PackContents[]> {
  const needed = new Set(stored.flatMap(({ parts }) => parts.packs.map(({ digest }) => digest)));
  const indexes = new Map(stored.flatMap(({ parts }) => parts.indexes.map((index) => [index.digest, index])));
  const contents: PackContents[] = [];
  for (const index of indexes.values()) {
    for (const pack of await readIndexPacks(store, index.digest))
      if (needed.delete(pack.pack)) contents.push(pack);
  }
  return contents;
}

async function readIndexPacks(store: Store, digest: Digest): Promise<PackContents[]> {
  try {
    return decodeIndex(await readMetadata(store, { digest }), `index ${digest}`).packs;
  } catch (error) {
    if (error instanceof DamagedError) return [];
    throw error;
  }
}

/** Decompresses a pack frame by frame and checks every chunk; what is wrong, if anything. */
export async function checkPack(store: Store, { pack, frames }: PackContents): Promise<string | undefined> {
  const path = blobPath(store, pack);
  const file = await openPack(store, pack);
  try {
    let offset = 0;
    for (const frame of frames) {
      const bytes = await file.read(offset, frame.length);
      const wrong = checkFrame(await decompress(bytes, offsetsIn(frame.sizes).length, path), frame);
      if (wrong !== undefined) return wrong;
      offset += frame.length;
    }
    return undefined;
  } catch (error) {
    if (error instanceof DamagedError) return error.message;
    throw error;
  } finally {
    await file.close();
  }
}

function checkFrame(bytes: Buffer, { sizes, chunks }: Frame): string | undefined {
  for (const [i, offset] of offsetsIn(sizes).offsets.entries()) {
    const want = chunks.slice(i * 64, i * 64 + 64);
    const size = sizes[i]!;
    const got = hash('sha256', bytes.subarray(offset, offset + size));
    if (got !== want) return `the chunk ${want} has digest ${got}`;
    if (!isChunkHeader(bytes, offset - 512, want, size))
      return `the chunk ${want} has another name in the archive`;
  }
  return undefined;
}

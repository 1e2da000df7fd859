import type { Digest } from '../../oci/digest.ts';
import { type Layout, readBlob, type StagedBlob, stageBlob } from '../../oci/layout.ts';
import { compress, decompress } from './zstd.ts';

/** Trees, indexes and notes are no larger than this, in bytes, compressed or not. */
const limit = 256 * 1024 * 1024;

/** The one place where trees, indexes and notes become blobs… */
export async function stageMetadata(layout: Layout, text: Uint8Array): Promise<StagedBlob> {
  return stageBlob(layout, await compress(text));
}

/**
 * …and are read back.
 * @throws {DamagedError}
 */
export async function readMetadata(layout: Layout, { digest }: { digest: Digest }): Promise<Buffer> {
  return decompress(await readBlob(layout, digest, limit), limit, digest);
}

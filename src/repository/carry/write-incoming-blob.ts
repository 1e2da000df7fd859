import { open, unlink } from 'node:fs/promises';
import { hexOf } from '../../oci/digest.ts';
import { stagingPath } from '../../oci/layout.ts';
import { publishBlob, type StagedBlob } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import { beginsLikeManifest } from '../snapshot/catalog.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import { writeError } from '../write-error.ts';

/**
 * Stores a blob of a snapshot that is taken in; `content` throws at its end when it is not what the digest says, and
 * nothing stays.
 */
export async function writeIncomingBlob(
  store: Store,
  blob: BlobRef,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const staged: StagedBlob = { ...blob, path: stagingPath(store, `${hexOf(blob.digest)}.blob`) };
  try {
    const file = await open(staged.path, 'w', 0o600);
    try {
      for await (const piece of content) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await requireNoManifest(staged);
    await publishBlob(store, staged);
  } catch (error) {
    await unlink(staged.path).catch(() => {});
    throw writeError(store.directory, error);
  }
}

/** What a snapshot consists of never does: it would pass for another snapshot, whole or not. */
async function requireNoManifest({ digest, path }: StagedBlob): Promise<void> {
  if (await beginsLikeManifest(path)) throw new DamagedError(`taking in ${digest}: it passes for a manifest`);
}

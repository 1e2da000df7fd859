import { join } from 'node:path';
import { readSmallFile } from '../../support/small-file.ts';
import type { EngineInfo } from '../engine.ts';

/**
 * Reads a document (a manifest, an index, a config) of the containerd image store where it lies on this host, for the
 * engine tells these only along with every byte of the image. Whoever asks checks the digest.
 *
 * @param hex of its SHA-256
 * @returns `undefined` when the store is elsewhere, or not to be read by us, or has no such document
 */
export async function storedDocument(
  { local, rootDir }: Pick<EngineInfo, 'local' | 'rootDir'>,
  hex: string,
): Promise<Uint8Array | undefined> {
  if (!local) return undefined;
  for (const store of [join(rootDir, 'containerd/daemon'), '/var/lib/containerd']) {
    const path = join(store, 'io.containerd.content.v1.content/blobs/sha256', hex);
    try {
      return readSmallFile(path, maxDocument);
    } catch {} // It may be in the other one.
  }
  return undefined;
}

/** No document is longer, in bytes. */
const maxDocument = 8 << 20;

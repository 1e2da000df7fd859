import { createReadStream } from 'node:fs';
import { verified } from '../../oci/digest.ts';
import { blobPath, readBlob } from '../../oci/layout.ts';
import type { Outgoing } from '../repository.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/load.ts';
import { type BlobRef, blobsOfParts } from '../snapshot/manifest.ts';
import { manifestLimit } from '../snapshot/media-types.ts';

/** A snapshot as it leaves its repository: its manifest, and every other blob that it needs. */
export async function readOutgoing(store: Store, stored: StoredSnapshot): Promise<Outgoing> {
  const { snapshot, manifest } = stored;
  return {
    directory: store.directory,
    snapshot,
    manifest: await readBlob(store, manifest.digest, manifestLimit),
    blobs: blobsOfParts(stored.parts),
    read: (blob) => readVerified(store, blob),
  };
}

function readVerified(store: Store, blob: BlobRef): AsyncGenerator<Uint8Array> {
  const path = blobPath(store, blob.digest);
  return verified(createReadStream(path, { highWaterMark: 1 << 20 }), blob, `reading ${path}`);
}

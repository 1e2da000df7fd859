import { createReadStream } from 'node:fs';
import { blobError } from '../../oci/blob-file.ts';
import { verified } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { blobSize, readBlob } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import { type BlobRef, blobsOfParts } from '../snapshot/manifest.ts';
import { manifestLimit } from '../snapshot/media-types.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/** A snapshot on its way out of a repository. */
export interface Outgoing {
  /** Of the repository that it is in. */
  directory: string;
  snapshot: Snapshot;
  manifest: Buffer;
  /** Every blob that it needs but its manifest, each once. */
  blobs: readonly BlobRef[];
  /**
   * The same, what tells of the content before the content: of an archive that is cut, all that comes before the cut
   * can be told.
   */
  tellingFirst: readonly BlobRef[];
  /** The bytes of one of them. Throws `DamagedError` at their end when they are not what the digest says. */
  read(blob: BlobRef): AsyncIterable<Uint8Array>;
}

/** A snapshot as it leaves its repository: its manifest, and every other blob that it needs. */
export async function readOutgoing(store: Store, stored: StoredSnapshot): Promise<Outgoing> {
  const { snapshot, manifest, parts } = stored;
  const blobs = blobsOfParts(parts);
  const packs = new Set(parts.packs.map(({ digest }) => digest));
  return {
    directory: store.directory,
    snapshot,
    manifest: await readBlob(store, manifest.digest, manifestLimit),
    blobs,
    tellingFirst: blobs.toSorted((a, b) => Number(packs.has(a.digest)) - Number(packs.has(b.digest))),
    read: (blob) => readVerified(store, blob),
  };
}

async function* readVerified(store: Store, blob: BlobRef): AsyncGenerator<Uint8Array> {
  const path = blobPath(store, blob.digest);
  try {
    // A pipe in its place would keep us waiting for ever.
    if ((await blobSize(store, blob.digest)) === undefined)
      throw new DamagedError(`reading ${path}: there is no such file`);
    yield* verified(createReadStream(path, { highWaterMark: 1 << 20 }), blob, `reading ${path}`);
  } catch (error) {
    const failed = blobError(path, error);
    if (!(failed instanceof DamagedError)) throw failed;
    throw new DamagedError(failed.message, { advice: mendFirst, facts: { path }, cause: error });
  }
}

const mendFirst = 'dockerctl backup verify names all that is spoilt; dockerctl backup repair may mend it';

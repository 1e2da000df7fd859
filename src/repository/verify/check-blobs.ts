import { type Digest, isDigest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { listBlobs } from '../../oci/layout-blobs.ts';
import { isUnreadable, messageOf } from '../../support/errors.ts';
import type { VerifyReport } from '../repository.ts';
import type { LostSnapshot } from '../snapshot/catalog.ts';
import { blobsOf } from '../snapshot/stored.ts';
import { hashBlob } from './hash-blob.ts';
import type { Verifying } from './verifying.ts';

/**
 * Whether every blob is what its name says, and all that should be are there.
 * @returns how many there are, and the bytes that were read of them
 */
export async function checkBlobs(verifying: Verifying): Promise<Pick<VerifyReport, 'blobs' | 'bytes'>> {
  const present = new Set(await listBlobs(verifying.store));
  const bytes = await checkDigests(verifying, present);
  await checkPresence(verifying, present);
  await checkManifests(verifying, present);
  return { blobs: present.size, bytes };
}

/** Returns how many bytes that took to read. */
async function checkDigests({ store, found, task }: Verifying, present: Set<Digest>): Promise<number> {
  let bytes = 0;
  for (const digest of present) {
    const hashing = hashBlob(blobPath(store, digest), (read) => {
      store.throwIfInterrupted?.();
      task.advance(read);
    });
    const { got, size, message } = await hashing.then(
      (read) => ({ ...read, message: 'the bytes of this blob are not what its name says' }),
      unreadable,
    );
    bytes += size;
    if (got !== digest) found.add({ digest, message, ...(got && { got }) });
  }
  return bytes;
}

/** A disk that fails here may read the rest. */
function unreadable(error: unknown) {
  if (!isUnreadable(error)) throw error;
  return { got: undefined, size: 0, message: `this blob cannot be read: ${messageOf(error)}` };
}

async function checkPresence({ catalog, found }: Verifying, present: Set<Digest>): Promise<void> {
  const named = catalog.stored.flatMap(blobsOf).map(({ digest }) => digest);
  const needed = new Set([...named, ...catalog.damaged.map(({ manifest }) => manifest)]);
  for (const digest of needed) {
    if (!present.has(digest)) found.add({ digest, message: 'this blob is missing' });
  }
}

/** Snapshots that cannot be read although every blob may be what its name says. */
async function checkManifests({ catalog, found }: Verifying, present: ReadonlySet<Digest>): Promise<void> {
  for (const lost of catalog.damaged) {
    const digest = culpritOf(lost, present, found.blobs);
    const message = present.has(digest) ? lost.error.message : 'this blob is missing';
    if (!found.blobs.has(digest)) found.add({ digest, message });
  }
}

/** What is wrong with a snapshot that cannot be read: its config, if that is not as it should be, else its manifest. */
function culpritOf(
  { manifest, id }: LostSnapshot,
  present: ReadonlySet<Digest>,
  damaged: ReadonlySet<Digest>,
): Digest {
  return isDigest(id) && (!present.has(id) || damaged.has(id)) ? id : manifest;
}

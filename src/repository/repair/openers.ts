import type { Digest } from '../../oci/digest.ts';
import { openBlob } from '../../oci/layout-blobs.ts';
import { DamagedError, isUnreadable, SignatureError } from '../../support/errors.ts';
import { countRecipients } from '../age/header.ts';
import { encodeRecipient } from '../age/keys.ts';
import { readMetadata } from '../blobs/metadata.ts';
import type { Store } from '../seal/store.ts';
import { type BlobRef, blobsOfParts, type Parts } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/** Who opens a sealed snapshot of which the config is lost. */
export interface Openers {
  /** As `age1…`. */
  recipients: string[];
  /** How many others may open it too: a sealed file tells how many can, and not who. */
  unnamed: number;
}

/**
 * Who opens all of it for certain: whose key at hand does, and who of each blob is named by another snapshot that needs
 * it, for what a snapshot names as recipients opens every blob of it, however old.
 * @throws {SignatureError} when nobody is known
 */
export async function findOpeners(
  store: Store,
  others: readonly StoredSnapshot[],
  parts: Parts,
): Promise<Openers> {
  const opening = namedForAll(others, parts);
  for (const identity of store.identities) {
    const alone: Store = { ...store, identities: [identity], cache: undefined };
    if (await opensAll(alone, metadataOf(parts))) opening.add(encodeRecipient(identity));
  }
  if (opening.size === 0) throw new SignatureError('no private key at hand opens all of it');
  const recipients = [...opening];
  return { recipients, unnamed: Math.max(0, (await countOpeners(store, parts)) - recipients.length) };
}

/** Every sealed blob but the packs. A snapshot that holds nothing has notes at least, which tell why. */
function metadataOf({ trees, indexes, notes }: Parts): BlobRef[] {
  return [...trees, ...indexes, ...(notes === undefined ? [] : [notes])];
}

/** Nobody of a snapshot that holds nothing. */
function namedForAll(stored: readonly StoredSnapshot[], parts: Parts): Set<string> {
  const namedFor = new Map<Digest, Set<string>>();
  for (const { snapshot, parts: held } of stored) {
    const named = new Set(snapshot.recipients);
    for (const { digest } of blobsOfParts(held))
      namedFor.set(digest, named.union(namedFor.get(digest) ?? new Set()));
  }
  const [first = new Set<string>(), ...others] = [...parts.packs, ...parts.indexes, ...parts.trees].map(
    ({ digest }) => namedFor.get(digest) ?? new Set<string>(),
  );
  return others.reduce((all, some) => all.intersection(some), first);
}

async function opensAll(store: Store, blobs: readonly BlobRef[]): Promise<boolean> {
  for (const blob of blobs) {
    try {
      await readMetadata(store, blob);
    } catch (error) {
      if (error instanceof SignatureError) return false;
      if (!(error instanceof DamagedError)) throw error;
    }
  }
  return true;
}

/** The fewest recipients that anything of it was made for. */
async function countOpeners(store: Store, parts: Parts): Promise<number> {
  let fewest: number | undefined;
  for (const { digest } of metadataOf(parts)) {
    const count = countRecipients(await beginningOf(store, digest));
    if (count !== undefined) fewest = Math.min(count, fewest ?? count);
  }
  return fewest ?? 0;
}

/** In which the header of an age file lies, unless there are hundreds of recipients. */
const usualHeader = 16 * 1024;

async function beginningOf(store: Store, digest: Digest): Promise<Uint8Array> {
  try {
    const file = await openBlob(store, digest);
    return await file.read(0, usualHeader).finally(() => file.close());
  } catch (error) {
    if (error instanceof DamagedError || isUnreadable(error)) return new Uint8Array(0);
    throw error;
  }
}

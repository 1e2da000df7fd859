import type { Digest } from '../../oci/digest.ts';
import { readBlob, type StagedBlob, stageBlob } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import { freeNow } from '../../support/free-now.ts';
import { decryptBytes } from '../age/decrypt.ts';
import { encryptBytes } from '../age/encrypt.ts';
import { isSealed } from '../age/header.ts';
import type { Store } from '../seal/store.ts';
import { metadataLimit } from '../snapshot/media-types.ts';
import { compress, decompress } from './zstd.ts';

/** The one place where trees, indexes and notes become blobs… */
export async function stageMetadata(store: Store, text: Uint8Array): Promise<StagedBlob> {
  const plain = await compress(text);
  try {
    return await (store.recipients.length === 0 ? stageBlob(store, plain) : stageSealed(store, plain));
  } finally {
    freeNow(plain);
  }
}

async function stageSealed(store: Store, plain: Uint8Array): Promise<StagedBlob> {
  const sealed = encryptBytes(plain, store.recipients);
  const blob = await stageBlob(store, sealed);
  freeNow(sealed);
  // Without it the next run has nothing to compare with, and says so; that is no reason for this one to fail.
  await store.cache?.write(blob.digest, plain).catch(() => {});
  return blob;
}

/**
 * …and are read back. The blob on disk is checked even when what is inside is known already.
 * @param limit of bytes, compressed or not
 * @throws {DamagedError} @throws {SignatureError} when it is sealed and no key opens it
 */
export async function readMetadata(
  store: Store,
  { digest }: { digest: Digest },
  limit = metadataLimit,
): Promise<Buffer> {
  store.throwIfInterrupted?.();
  const bytes = await readBlob(store, digest, limit);
  const plain = isSealed(bytes) ? await unseal(store, digest, bytes) : bytes;
  const text = await decompress(plain, limit, digest);
  for (const read of new Set([bytes, plain])) freeNow(read);
  return text;
}

/** Lets this host know without a key, from now on, what is inside a blob that a key at hand opens. */
export async function rememberMetadata(store: Store, { digest }: { digest: Digest }): Promise<void> {
  const plain = decryptBytes(
    await readBlob(store, digest, metadataLimit),
    store.identities,
    `reading ${digest}`,
  );
  await store.cache?.write(digest, plain);
}

/**
 * What this host remembers of a blob that it wrote sealed, whatever became of the blob; `undefined` when it does not.
 */
export async function readRemembered(
  { cache }: Store,
  { digest }: { digest: Digest },
): Promise<Buffer | undefined> {
  const plain = cache?.read(digest);
  return plain && decompress(plain, metadataLimit, digest);
}

async function unseal({ cache, identities }: Store, digest: Digest, bytes: Buffer): Promise<Uint8Array> {
  const known = cache?.read(digest);
  if (known !== undefined) return known;
  if (cache === undefined || identities.length > 0)
    return decryptBytes(bytes, identities, `reading ${digest}`);
  throw new DamagedError(`reading ${digest}: what this host kept of it in ${cache.directory} is damaged`, {
    advice: `Remove ${cache.directory}; the next run then stores everything anew`,
    facts: { path: cache.directory },
  });
}

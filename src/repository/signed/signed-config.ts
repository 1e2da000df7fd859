import type { Digest } from '../../oci/digest.ts';
import { readBlob } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import type { Parts } from '../snapshot/manifest.ts';
import { configLimit } from '../snapshot/media-types.ts';

/** A snapshot's config, byte for byte, and the signature that its host made over it. */
export interface SignedConfig {
  config: Uint8Array;
  signature: Uint8Array | undefined;
  /** Why there is no signature although there was one. */
  lost?: string;
}

/** No signature of a single key is longer, in bytes. */
export const signatureLimit = 64 * 1024;

/**
 * Reads both, from memory what is held there, the rest from the repository. What a snapshot holds does not depend on
 * its signature, so one that is damaged is lost, no more.
 * @throws {DamagedError} when the config is damaged
 */
export async function readSignedConfig(
  store: Store,
  { config, signature }: Parts,
  held: ReadonlyMap<Digest, Uint8Array> = new Map(),
): Promise<SignedConfig> {
  const read = async (digest: Digest, limit: number) => held.get(digest) ?? readBlob(store, digest, limit);
  const bytes = await read(config.digest, configLimit);
  if (signature === undefined) return { config: bytes, signature: undefined };
  try {
    return { config: bytes, signature: await read(signature.digest, signatureLimit) };
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return { config: bytes, signature: undefined, lost: error.message };
  }
}

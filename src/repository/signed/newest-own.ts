import { closestTo, type Origin } from '../snapshot/origin.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isSignedBy } from './made-here.ts';
import type { SignedConfig } from './signed-config.ts';

/** What a host knows its own snapshots by: that they say so proves nothing. */
export interface OwnProof {
  /**
   * Fingerprint of the key that it signs with; `undefined`: it has none, and takes every one for what it says it is.
   */
  key: string | undefined;
  /** Ids of those that it remembers to have made, signed or not. */
  remembered?: ReadonlySet<string>;
}

type SignatureReader = (snapshot: Snapshot) => Promise<SignedConfig>;

/** What `latest` is of an origin that has proof; `undefined`: nothing is proven, and any that says so may be meant. */
export function latestOwn(
  snapshots: readonly Snapshot[],
  origin: Origin & OwnProof,
  signedConfig: SignatureReader,
): Promise<Snapshot | undefined> {
  const complete = snapshots.filter((snapshot) => snapshot.complete);
  return newestOwn(closestTo(complete, origin), origin, signedConfig);
}

/** The newest that is proven to be the host's own; wherever it was carried, for a signature is of all content. */
export async function newestOwn(
  snapshots: readonly Snapshot[],
  { key, remembered }: OwnProof,
  signedConfig: SignatureReader,
): Promise<Snapshot | undefined> {
  if (key === undefined) return undefined;
  for (const snapshot of snapshots.toReversed()) {
    if (remembered?.has(snapshot.id)) return snapshot;
    if (await isSignedBy(key, snapshot.id, await signedConfig(snapshot))) return snapshot;
  }
  return undefined;
}

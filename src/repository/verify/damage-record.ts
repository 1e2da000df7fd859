import type { Digest } from '../../oci/digest.ts';
import { expectHostRecord, readHostRecord, writeHostRecord } from '../host-record.ts';

/** What a check found of the blobs that snapshots need. */
export interface DamagedBlobs {
  /** All that are missing or not as they should be. */
  all: ReadonlySet<Digest>;
  /** Of these, those that are what their name says: it takes reading what is in them to see that. */
  inside: ReadonlySet<Digest>;
}

/**
 * Remembers on this host which blobs of a repository the last check found damaged or missing, so that the next run
 * builds on none of them. A run itself looks only whether a blob is there and as long as it should be.
 */
export async function recordDamage(
  stateDir: string,
  directory: string,
  { all, inside }: DamagedBlobs,
): Promise<void> {
  if (all.size === 0 && (await readDamage(stateDir, directory)).size === 0) return;
  await writeHostRecord('damage-inside', stateDir, directory, inside);
  await writeHostRecord('damage', stateDir, directory, all);
}

/** What the last check found; nothing when there was none. */
export async function readDamage(stateDir: string, directory: string): Promise<Set<Digest>> {
  return readHostRecord('damage', stateDir, directory);
}

/**
 * The same for whoever builds on what is not in it.
 * @throws {FailedError} when it cannot be read
 */
export async function expectDamage(stateDir: string, directory: string): Promise<Set<Digest>> {
  return expectHostRecord('damage', stateDir, directory);
}

/** Of that, what the right bytes would mend. @throws {FailedError} when it cannot be read */
export async function expectDamagedBytes(stateDir: string, directory: string): Promise<Set<Digest>> {
  const all = await expectDamage(stateDir, directory);
  return all.difference(await readDamageInside(stateDir, directory));
}

/** Of that, what no digest shows: the bytes are right. */
export async function readDamageInside(stateDir: string, directory: string): Promise<Set<Digest>> {
  return readHostRecord('damage-inside', stateDir, directory);
}

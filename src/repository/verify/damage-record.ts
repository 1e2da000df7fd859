import type { Digest } from '../../oci/digest.ts';
import { readHostRecord, writeHostRecord } from './host-record.ts';

/**
 * Remembers on this host which blobs of a repository the last check found damaged or missing, so that the next run
 * builds on none of them. A run itself looks only whether a blob is there and as long as it should be.
 */
export async function recordDamage(
  stateDir: string,
  directory: string,
  damaged: ReadonlySet<Digest>,
): Promise<void> {
  if (damaged.size === 0 && (await readDamage(stateDir, directory)).size === 0) return;
  await writeHostRecord('damage', stateDir, directory, damaged);
}

/** What the last check found; nothing when there was none. */
export async function readDamage(stateDir: string, directory: string): Promise<Set<Digest>> {
  return readHostRecord('damage', stateDir, directory);
}

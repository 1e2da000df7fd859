import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { NoSpaceError } from '../../support/errors.ts';
import { freeSpaceAt } from '../../support/free-space.ts';

/**
 * Refuses early what would end with a full disk: beside `minFree` there must be room for as much as the last run stored. A first
 * run, which stores everything, says nothing about the second.
 *
 * @throws {NoSpaceError} with what is free and what is wanted, in bytes
 */
export async function requireSpace(
  directory: string,
  minFree: number,
  previous: Snapshot | undefined,
): Promise<void> {
  const wanted = minFree + (previous?.predecessor === undefined ? 0 : previous.added.bytes);
  if (wanted === 0) return;
  const free = await freeSpaceAt(directory);
  if (free >= wanted) return;
  throw new NoSpaceError(`backing up to ${directory}: ${inWords(free)} free, ${inWords(wanted)} wanted`, {
    advice: 'Make room with `dockerctl backup prune`, or lower min-free in the deployment file',
    facts: { directory, free, wanted },
  });
}

function inWords(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { NoSpaceError } from '../../support/errors.ts';
import { formatBytes } from '../../support/quantities.ts';
import type { BackupPlan } from '../plan.ts';

/**
 * Refuses early what would end with a full disk: beside `min-free` there must be room for as much as the sources stored
 * in each of the last two runs. One alone says nothing: a night that stored much, as after an upgrade, must not keep
 * all others from beginning.
 *
 * @param free bytes where the repository is
 * @throws {NoSpaceError} with what is free and what is wanted, in bytes
 */
export async function requireSpace(
  repository: Pick<Repository, 'directory' | 'snapshots'>,
  free: number,
  plan: Pick<BackupPlan, 'minFree' | 'sources'>,
  previous: Snapshot | undefined,
): Promise<void> {
  const { directory } = repository;
  const last = storedBy(previous, plan);
  if (free >= plan.minFree + (last ?? 0)) return;
  const earlier = (await repository.snapshots()).find(({ id }) => id === previous?.predecessor);
  const expected = Math.min(last ?? 0, storedBy(earlier, plan) ?? 0);
  if (free < plan.minFree + expected) throw tooLittle(directory, free, plan.minFree, expected);
}

/**
 * Bytes that a run stored of the sources that are planned. A first run, which stores everything, says nothing of
 * another.
 */
function storedBy(run: Snapshot | undefined, { sources }: Pick<BackupPlan, 'sources'>): number | undefined {
  if (run?.predecessor === undefined) return undefined;
  const total = newBytesOf(run.sources);
  const planned = newBytesOf(run.sources.filter((one) => sources.some(({ name }) => name === one.name)));
  return Math.ceil(run.added.bytes * (total === 0 ? 1 : planned / total));
}

function newBytesOf(sources: Snapshot['sources']): number {
  return sources.reduce((sum, { newBytes }) => sum + newBytes, 0);
}

function tooLittle(directory: string, free: number, minFree: number, expected: number): NoSpaceError {
  const wanted = minFree + expected;
  const reasons = [
    ...(minFree > 0 ? [`${formatBytes(minFree)} are min-free`] : []),
    ...(expected > 0 ? [`${formatBytes(expected)} were stored last time`] : []),
  ];
  const advice = [
    'Make room there, with `dockerctl backup prune` for example',
    ...(minFree > 0 ? ['lower min-free in the deployment file'] : []),
  ];
  return new NoSpaceError(
    `backing up to ${directory}: ${formatBytes(free)} free, ${formatBytes(wanted)} wanted (${reasons.join(', ')})`,
    { advice: advice.join(', or '), facts: { directory, free, wanted, minFree, expected } },
  );
}

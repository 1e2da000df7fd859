import type { Context } from '../../support/context.ts';
import { FailedError } from '../../support/errors.ts';
import type { ImageHost } from '../image-host.ts';
import { withImagesLock } from '../lock.ts';
import type { ReleaseRecord } from './catalog.ts';
import { compareReleases } from './release-order.ts';
import { carryOut, planRemoval, type RemovalPlan } from './remove.ts';

/**
 * What goes when `keep` releases stay, oldest first.
 * @param warn is told of a release that is old enough and stays, for a container uses it
 * @param among only these; left out: all
 */
export async function planPrune(
  keep: number,
  host: ImageHost,
  warn: (message: string) => void,
  among?: readonly string[],
): Promise<RemovalPlan[]> {
  const plans: RemovalPlan[] = [];
  const old = releasesToPrune(await host.catalog.releases(), keep);
  for (const release of old.filter((each) => among?.includes(each) ?? true)) {
    try {
      const before = plans.map((plan) => plan.release);
      plans.push(await planRemoval(release, host, before));
    } catch (error) {
      if (!(error instanceof FailedError)) throw error;
      warn(`${release} stays: ${error.message}`);
    }
  }
  return plans;
}

/**
 * Removes those of `releases` that go when `keep` stay, as it is planned when nobody else changes images any more.
 * @param releases that somebody agreed to; one that was loaded again since then stays
 * @returns what went, and what stayed
 * @throws {LockedError}
 */
export async function pruneReleases(
  releases: readonly string[],
  keep: number,
  host: ImageHost,
  context: Pick<Context, 'stateDir' | 'now' | 'progress'>,
): Promise<RemovalPlan[]> {
  return withImagesLock('images prune', context, async () => {
    const plans = await planPrune(keep, host, context.progress.warn, releases);
    for (const plan of plans) await carryOut(plan, host);
    return plans;
  });
}

/**
 * Which releases go when `keep` of them stay: the newest ones by their labels, and the one that was loaded last. Oldest
 * first.
 * @param releases oldest load first, as the catalog gives them
 */
export function releasesToPrune(releases: readonly ReleaseRecord[], keep: number): string[] {
  const labels = releases.map(({ release }) => release);
  const byAge = labels.toSorted(compareReleases);
  const kept = new Set([...byAge.slice(Math.max(0, byAge.length - keep)), ...labels.slice(-1)]);
  return byAge.filter((release) => !kept.has(release));
}

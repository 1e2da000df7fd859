import { FailedError } from '../../support/errors.ts';
import type { ImageHost } from '../image-host.ts';
import type { ReleaseRecord } from './catalog.ts';
import { compareReleases } from './release-order.ts';
import { planRemoval, type RemovalPlan } from './remove.ts';

/**
 * What goes when `keep` releases stay, oldest first.
 * @param warn is told of a release that is old enough and stays, for a container uses it
 */
export async function planPrune(
  keep: number,
  host: ImageHost,
  warn: (message: string) => void,
): Promise<RemovalPlan[]> {
  const plans: RemovalPlan[] = [];
  for (const release of releasesToPrune(await host.catalog.releases(), keep)) {
    try {
      plans.push(await planRemoval(release, host));
    } catch (error) {
      if (!(error instanceof FailedError)) throw error;
      warn(`${release} stays: ${error.message}`);
    }
  }
  return plans;
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

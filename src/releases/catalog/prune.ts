import type { ReleaseRecord } from './catalog.ts';
import { compareReleases } from './release-order.ts';

/**
 * Which releases go when `keep` of them stay: the newest ones by their labels, and the one that was loaded last. Oldest first.
 * @param releases oldest load first, as the catalog gives them
 */
export function releasesToPrune(releases: readonly ReleaseRecord[], keep: number): string[] {
  const labels = releases.map(({ release }) => release);
  const byAge = labels.toSorted(compareReleases);
  const kept = new Set([...byAge.slice(Math.max(0, byAge.length - keep)), ...labels.slice(-1)]);
  return byAge.filter((release) => !kept.has(release));
}

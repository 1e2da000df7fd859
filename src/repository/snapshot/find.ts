import { NotFoundError, UsageError } from '../../support/errors.ts';
import { closestTo, type Origin } from './origin.ts';
import { shortId } from './short-id.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The snapshot that `name` means: `latest` is the newest complete one; else an id or the beginning of one, with or
 * without `sha256:`.
 * @param snapshots oldest first
 * @param origin whose newest one is `latest`; left out: whoever made it
 */
export function findSnapshot(
  snapshots: readonly Snapshot[],
  name: string,
  where: string,
  origin?: Origin,
): Snapshot {
  if (name === 'latest') return latestOf(snapshots, where, origin);
  const wanted = name.startsWith('sha256:') ? name : `sha256:${name}`;
  const matching = snapshots.filter(({ id }) => name !== '' && id.startsWith(wanted));
  if (matching.length === 1) return matching[0]!;
  if (matching.length === 0) return notFound(snapshots, name, where);
  throw new UsageError(`looking for snapshot ${name} in ${where}: ${matching.length} begin like this`, {
    advice: `Say more of its id: ${listIds(matching)}`,
  });
}

/** That of another deployment is never meant: it would be restored over this one. */
function latestOf(snapshots: readonly Snapshot[], where: string, origin: Origin | undefined): Snapshot {
  const complete = snapshots.filter((snapshot) => snapshot.complete);
  const latest = (origin === undefined ? complete : closestTo(complete, origin)).at(-1);
  const whose = origin !== undefined && complete.length > 0 ? ` of ${origin.deployment}` : '';
  return latest ?? notFound(snapshots, 'latest', where, `there is no complete one${whose}`);
}

function notFound(
  snapshots: readonly Snapshot[],
  name: string,
  where: string,
  what = 'there is none',
): never {
  throw new NotFoundError(`looking for snapshot ${name} in ${where}: ${what}`, {
    advice: snapshots.length === 0 ? 'The repository is empty' : `There are: ${listIds(snapshots)}`,
    facts: { snapshots: snapshots.map(({ id }) => id) },
  });
}

/** The newest few, short. */
function listIds(snapshots: readonly Snapshot[]): string {
  const shown = snapshots.slice(-5).map(({ id }) => shortId(id));
  return snapshots.length > shown.length ? `… ${shown.join(', ')}` : shown.join(', ');
}

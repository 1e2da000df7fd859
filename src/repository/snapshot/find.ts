import { NotFoundError, UsageError } from '../../support/errors.ts';
import { shortId } from './short-id.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The snapshot that `name` means: `latest` is the newest complete one; else an id or the beginning of one, with or
 * without `sha256:`.
 * @param snapshots oldest first
 */
export function findSnapshot(snapshots: readonly Snapshot[], name: string, where: string): Snapshot {
  if (name === 'latest') {
    const latest = snapshots.findLast(({ complete }) => complete);
    return latest ?? notFound(snapshots, name, where);
  }
  const wanted = name.startsWith('sha256:') ? name : `sha256:${name}`;
  const matching = snapshots.filter(({ id }) => name !== '' && id.startsWith(wanted));
  if (matching.length === 1) return matching[0]!;
  if (matching.length === 0) return notFound(snapshots, name, where);
  throw new UsageError(`looking for snapshot ${name} in ${where}: ${matching.length} begin like this`, {
    advice: `Say more of its id: ${listIds(matching)}`,
  });
}

function notFound(snapshots: readonly Snapshot[], name: string, where: string): never {
  const what = name === 'latest' ? 'there is no complete one' : 'there is none';
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

import { delegate } from '../../repository/delegate.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import { madeBy } from '../../repository/snapshot/origin.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { isWhole, type Snapshot } from '../../repository/snapshot/snapshot.ts';
import { DamagedError } from '../../support/errors.ts';
import { formatMoment } from '../../support/quantities.ts';

/** What is to be restored, as the operator named it. */
export interface Damaged {
  snapshot: Snapshot;
  repository: ReadableRepository;
  /** Options that say where it is and where it goes, for a command to type: ` --repository DIR`. */
  options?: string | undefined;
}

/** How a restore can come past damage: what to type for the newest other snapshot of the same that is whole, as far as is known. */
export async function pastDamage({ snapshot, repository, options = '' }: Damaged): Promise<string> {
  const others = madeBy(await repository.snapshots(), snapshot).filter(({ id }) => id !== snapshot.id);
  const newest = others.findLast(isWhole);
  const instead =
    newest === undefined
      ? 'No other snapshot here is whole'
      : `dockerctl restore ${shortId(newest.id)}${options} takes the newest one that is not known to be damaged, of ${formatMoment(newest.started)}`;
  return `${instead}; dockerctl backup repair may mend this one; --skip-damaged restores what can be read`;
}

/** The same repository; what it throws where something cannot be read says how a restore can come past that. */
export function advisedRepository(damaged: Damaged): ReadableRepository {
  const { repository } = damaged;
  return delegate(repository, {
    entries: (snapshot, source, onGap) => advised(repository.entries(snapshot, source, onGap), damaged),
    content: (snapshot, entry, options) => advised(repository.content(snapshot, entry, options), damaged),
  });
}

async function* advised<T>(items: AsyncIterable<T>, damaged: Damaged): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    const advice = await pastDamage(damaged);
    throw new DamagedError(error.message, { facts: error.facts, cause: error, advice });
  }
}

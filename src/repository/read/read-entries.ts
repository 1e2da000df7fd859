import { DamagedError, NotFoundError } from '../../support/errors.ts';
import type { Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import type { PathRange } from '../tree/path-range.ts';
import { readSegments } from '../tree/read-tree.ts';

/** A part of a tree that cannot be read: of what was there, no more is known than between which paths it lay. */
export interface Gap extends PathRange {
  /** Why. */
  error: DamagedError;
}

/**
 * The files of one source, in the order of their paths.
 *
 * @param onGap is told of each part of the tree that cannot be read, before what comes behind it; left out: that is
 * thrown
 * @throws {NotFoundError} when the snapshot has no such source. @throws {DamagedError} @throws {SignatureError}
 */
export async function* readEntries(
  store: Store,
  stored: StoredSnapshot,
  source: string,
  onGap?: (gap: Gap) => void,
): AsyncGenerator<Entry> {
  let last: string | undefined;
  let gap: Gap | undefined;
  for await (const segment of readSegments(store, segmentsOf(stored, source))) {
    if (segment instanceof DamagedError) {
      if (onGap === undefined) throw segment;
      gap ??= { after: last, before: undefined, error: segment };
      continue;
    }
    if (gap) onGap?.({ ...gap, before: segment.entries[0]?.path });
    gap = undefined;
    yield* segment.entries;
    last = segment.entries.at(-1)?.path ?? last;
  }
  if (gap) onGap?.(gap);
}

function segmentsOf({ snapshot, trees }: StoredSnapshot, source: string): readonly TreeRef[] {
  const refs = trees.get(source);
  if (refs !== undefined) return refs;
  throw new NotFoundError(`reading snapshot ${snapshot.id}: it has no source ${source}`, {
    advice: `Its sources: ${[...trees.keys()].join(', ')}`,
  });
}

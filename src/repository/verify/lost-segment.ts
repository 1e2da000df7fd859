import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { comparePaths } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments, type Segment } from '../tree/read-tree.ts';

/** The paths between two others, both left out; without one there is no bound. */
interface Range {
  after: string | undefined;
  before: string | undefined;
}

/**
 * What a segment of a snapshot's tree told of that cannot be read: first the range that its neighbours leave, such as
 * `source:every file after PATH and before PATH`, then the files that other snapshots have there.
 */
export async function* filesOfLostSegment(
  store: Store,
  { trees }: StoredSnapshot,
  others: readonly StoredSnapshot[],
  lost: Digest,
): AsyncGenerator<string> {
  for (const [source, refs] of trees) {
    const at = refs.findIndex(({ digest }) => digest === lost);
    if (at < 0) continue;
    const range = {
      after: (await readOne(store, refs[at - 1]))?.entries.at(-1)?.path,
      before: (await readOne(store, refs[at + 1]))?.entries[0]?.path,
    };
    yield `${source}:${describe(range)}`;
    const known = new Set(refs.map(({ digest }) => digest));
    for (const other of others) {
      const differing = (other.trees.get(source) ?? []).filter(({ digest }) => !known.has(digest));
      for (const { digest } of differing) known.add(digest);
      for await (const path of pathsWithin(store, differing, range)) yield `${source}:${toText(path)}`;
    }
  }
}

function describe({ after, before }: Range): string {
  const bounds = [
    ...(after === undefined ? [] : [`after ${toText(after)}`]),
    ...(before === undefined ? [] : [`before ${toText(before)}`]),
  ];
  return ['every file', bounds.join(' and ')].join(' ').trimEnd();
}

async function readOne(store: Store, ref: TreeRef | undefined): Promise<Segment | undefined> {
  if (ref === undefined) return undefined;
  for await (const segment of readSegments(store, [ref])) {
    return segment instanceof DamagedError ? undefined : segment;
  }
  return undefined;
}

async function* pathsWithin(
  store: Store,
  refs: readonly TreeRef[],
  { after, before }: Range,
): AsyncGenerator<string> {
  for await (const segment of readSegments(store, refs)) {
    if (segment instanceof DamagedError) continue;
    for (const { path } of segment.entries) {
      if (after !== undefined && comparePaths(path, after) <= 0) continue;
      if (before !== undefined && comparePaths(path, before) >= 0) break;
      yield path;
    }
  }
}

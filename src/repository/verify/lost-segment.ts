import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { readRemembered } from '../blobs/metadata.ts';
import type { Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { describeRange, isWithin, type PathRange } from '../tree/path-range.ts';
import { decodeSegment, readSegments, type Segment } from '../tree/read-tree.ts';

/**
 * What a segment of a snapshot's tree told of that cannot be read: its files, where this host remembers what it wrote
 * there. Else first the range that its neighbours leave, such as `source:every file after PATH and before PATH`, then
 * the files that other snapshots have there.
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
    const remembered = await rememberedEntries(store, refs[at]!);
    if (remembered === undefined) yield* filesAround(store, { source, refs, at }, others);
    else for (const { path } of remembered) yield `${source}:${toText(path)}`;
  }
}

async function rememberedEntries(store: Store, ref: TreeRef): Promise<Readonly<Entry>[] | undefined> {
  const text = await readRemembered(store, ref);
  const segment = text && decodeSegment({ ref, text });
  return segment instanceof DamagedError ? undefined : segment?.entries;
}

async function* filesAround(
  store: Store,
  { source, refs, at }: { source: string; refs: readonly TreeRef[]; at: number },
  others: readonly StoredSnapshot[],
): AsyncGenerator<string> {
  const before = await firstReadable(store, refs.slice(0, at).toReversed());
  const behind = await firstReadable(store, refs.slice(at + 1));
  const isUnknown = before === undefined && behind === undefined && refs.length > 1;
  // Without a key what cannot be read may be whole: that is no reason to say that all of it is lost.
  if (isUnknown && store.identities.length === 0 && store.cache !== undefined) return;
  const range = { after: before?.entries.at(-1)?.path, before: behind?.entries[0]?.path };
  yield `${source}:${describeRange(range)}`;
  const known = new Set(refs.map(({ digest }) => digest));
  for (const other of others) {
    const differing = (other.trees.get(source) ?? []).filter(({ digest }) => !known.has(digest));
    for (const { digest } of differing) known.add(digest);
    for await (const path of pathsWithin(store, differing, range)) yield `${source}:${toText(path)}`;
  }
}

async function firstReadable(store: Store, refs: readonly TreeRef[]): Promise<Segment | undefined> {
  for await (const segment of readSegments(store, refs)) {
    if (!(segment instanceof DamagedError)) return segment;
  }
  return undefined;
}

async function* pathsWithin(
  store: Store,
  refs: readonly TreeRef[],
  range: PathRange,
): AsyncGenerator<string> {
  for await (const segment of readSegments(store, refs)) {
    if (segment instanceof DamagedError) continue;
    for (const { path } of segment.entries) if (isWithin(path, range)) yield path;
  }
}

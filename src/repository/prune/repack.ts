import { randomBytes } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { stagingPath } from '../../oci/layout.ts';
import { publishBlob, type StagedBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import type { Context } from '../../support/context.ts';
import { decodeRecipient } from '../age/keys.ts';
import type { ChunkTable } from '../chunks/table.ts';
import { FrameBuffers } from '../packs/frame-buffer.ts';
import { encodePackLine, type IndexHeader, type PackContents } from '../packs/index-lines.ts';
import type { WrittenPack } from '../packs/pack-file.ts';
import { packGoal } from '../packs/pack-goal.ts';
import { PackWriter } from '../packs/pack-writer.ts';
import { readPackIndex } from '../packs/read-pack-index.ts';
import { stageIndexes } from '../packs/stage-indexes.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import { type NewPlaces, reissueManifests } from '../rewrite/reissue.ts';
import { openedBy } from '../seal/opened.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { liveChunks } from './live-chunks.ts';
import { readLive } from './read-live.ts';
import { findWasteful } from './wasteful.ts';

/** One is filled while the others are compressed or written. */
const framesInFlight = 3;

export interface Repacked {
  /** Every snapshot, those that changed with their new manifests. */
  stored: StoredSnapshot[];
  /** How many packs were written anew, and the bytes that this took. */
  packs: number;
  bytes: number;
}

/**
 * Writes packs of which less than half is needed anew, without the rest, and the manifests of their snapshots: trees
 * name chunks, so nothing else changes and ids stay. What is sealed stays as it is without its key. The old packs are
 * there until they are swept.
 * @returns `undefined` when there is nothing to do
 */
export async function repack(
  store: Store,
  everything: readonly StoredSnapshot[],
  context: Context,
): Promise<Repacked | undefined> {
  const readable = openedBy(store.identities, everything);
  const live = await liveChunks(store, readable);
  const wasteful = await findWasteful(store, { everything, readable, live }, context);
  const indexes = readable.flatMap(({ parts }) => parts.indexes);
  if (wasteful.length === 0 || indexes[0] === undefined) return undefined;
  const { header } = await readPackIndex(store, indexes[0]);
  const writing: Writing = { store, header, live, goal: packGoal(everything) };
  const rewritten: Rewritten[] = [];
  for (const group of groupPacks(wasteful, readable)) rewritten.push(await rewrite(group, writing));
  const blobs = rewritten.flatMap(({ staged }) => staged);
  for (const blob of blobs) await publishBlob(store, blob);
  await syncBlobs(store);
  const newIndexes = rewritten.flatMap(({ indexes }) => indexes);
  const usable = new UsablePacks(store, [...newIndexes, ...indexes], new Set());
  const places = new Map(everything.flatMap((snapshot) => movedTrees(snapshot, rewritten)));
  const stored = await reissueManifests({ store, stored: everything, usable, seed: header.seed }, places);
  return { stored, packs: wasteful.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
}

/** Packs that may become one: of the same source, to be opened by the same recipients. */
interface Group {
  source: string;
  recipients: string[];
  packs: PackContents[];
}

function groupPacks(wasteful: readonly PackContents[], stored: readonly StoredSnapshot[]): Group[] {
  const groups = new Map<string, Group>();
  for (const contents of wasteful) {
    const user = stored.find(({ parts }) => parts.packs.some(({ digest }) => digest === contents.pack));
    const recipients = user?.snapshot.recipients.toSorted() ?? [];
    const source = user?.parts.packs.find(({ digest }) => digest === contents.pack)?.source ?? '';
    const key = JSON.stringify([source, recipients]);
    const group = groups.get(key) ?? { source, recipients, packs: [] };
    group.packs.push(contents);
    groups.set(key, group);
  }
  return [...groups.values()];
}

interface Writing {
  store: Store;
  header: IndexHeader;
  live: ChunkTable;
  goal: number;
}

/** Packs that stand in for others. */
interface Rewritten {
  old: ReadonlySet<Digest>;
  packs: PackRef[];
  /** What tells of the new ones; nothing when nothing of the old ones is needed. */
  indexes: IndexRef[];
  staged: StagedBlob[];
}

async function rewrite({ source, recipients, packs }: Group, writing: Writing): Promise<Rewritten> {
  const sealing: Store = { ...writing.store, recipients: recipients.map(decodeRecipient) };
  const written = await writePacks(packs, sealing, writing);
  const refs = written.map(({ pack, size }): PackRef => ({ digest: pack, size, source }));
  const staged = written.map(({ pack, size, path }) => ({ digest: pack, size, path }));
  const old = new Set<Digest>(packs.map(({ pack }) => pack));
  const lines = written.map((contents, i) => ({ pack: refs[i]!, line: encodePackLine(contents) }));
  const indexes = await stageIndexes(sealing, writing.header, lines);
  return { old, packs: refs, indexes: indexes.refs, staged: [...staged, ...indexes.staged] };
}

async function writePacks(
  packs: readonly PackContents[],
  store: Store,
  { live, goal }: Writing,
): Promise<WrittenPack[]> {
  const written: WrittenPack[] = [];
  const writer = new PackWriter({
    buffers: new FrameBuffers(framesInFlight),
    nextPath: () => stagingPath(store, `${randomBytes(8).toString('hex')}.pack`),
    goal,
    recipients: store.recipients,
    onPack: (pack) => void written.push(pack),
  });
  const done = new Set<string>();
  try {
    for (const contents of packs) {
      for await (const { chunk, bytes } of readLive(store, contents, live)) {
        if (!done.has(chunk)) await writer.add(chunk, bytes);
        done.add(chunk);
      }
    }
    await writer.finish();
    return written;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** The trees of a snapshot whose chunks lie elsewhere now; nothing when there are none. */
function movedTrees(
  snapshot: StoredSnapshot,
  rewritten: readonly Rewritten[],
): [StoredSnapshot, NewPlaces][] {
  const replacementOf = ({ digest }: PackRef) => rewritten.find(({ old }) => old.has(digest));
  const moved = snapshot.parts.trees
    .filter((tree) => tree.packs.some((pack) => replacementOf(pack) !== undefined))
    .map((tree) => ({ ...tree, packs: tree.packs.flatMap((pack) => replacementOf(pack)?.packs ?? [pack]) }))
    .map((tree) => ({
      ...tree,
      packs: [...new Map(tree.packs.map((pack) => [pack.digest, pack])).values()],
    }));
  return moved.length === 0 ? [] : [[snapshot, new Map(moved.map((tree) => [tree.digest, tree]))]];
}

import type { Digest } from '../../oci/digest.ts';
import { blobSize } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import type { KnownChunks } from '../packs/known-chunks.ts';
import { loadKnownChunks } from '../packs/load-known.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import { type NewPlaces, type ReissueOptions, reissueManifests } from '../rewrite/reissue.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef, PackRef, TreeRef } from '../snapshot/manifest.ts';
import { packsOf, type StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import type { SpareIndex } from './rebuild-indexes.ts';

export interface Findings {
  /** Blobs that are not what their names say. */
  damaged: ReadonlySet<Digest>;
  /** Indexes that tell of packs whose own were lost. */
  spare: readonly SpareIndex[];
}

/**
 * Lets a snapshot find its content in other packs than those it lost, for a later backup of the same files stored it
 * again, and packs by indexes that were written anew.
 * @returns all snapshots as they are then
 * @throws {DamagedError} when some of it is nowhere @throws {SignatureError} when it is sealed and no key is at hand
 */
export async function mendSnapshot(
  store: Store,
  stored: readonly StoredSnapshot[],
  broken: StoredSnapshot,
  findings: Findings,
): Promise<StoredSnapshot[]> {
  const { indexes, usable } = usableFor(broken, store, stored, findings);
  const { known, seed } = await loadKnown(store, indexes, usable);
  const places = new Map<Digest, TreeRef>();
  for (const tree of broken.parts.trees) {
    const isKnown = tree.packs.length > 0 && (await usable.all(tree.packs));
    if (!isKnown || tree.size === 0) places.set(tree.digest, await findAgain(store, tree, known));
  }
  return reissue({ store, stored, usable, seed }, broken, places);
}

/**
 * Gives a snapshot whose manifest is lost one that tells of what is left, and of what it lacks: the packs that an index
 * tells of though they are lost, and segments of trees that are. What a lost segment needed is not known: it is said to
 * need every pack that nobody else does.
 * @returns all snapshots as they are then @throws {SignatureError} when it is sealed and no key is at hand
 */
export async function salvageSnapshot(
  store: Store,
  stored: readonly StoredSnapshot[],
  broken: StoredSnapshot,
  findings: Findings,
): Promise<StoredSnapshot[]> {
  const { indexes, usable } = usableFor(broken, store, stored, findings);
  const lost = await loadKnown(store, indexes, { has: async () => true });
  const { known, seed } = await loadKnown(store, indexes, usable, lost.known);
  const named = packsOf(stored);
  const unnamed = [...indexes.made, ...indexes.carried]
    .flatMap(({ packs }) => packs)
    .filter(({ digest }) => !named.has(digest));
  const places = new Map<Digest, TreeRef>();
  for (const tree of broken.parts.trees) {
    const chunks = await chunksOf(store, tree);
    const packs = chunks instanceof DamagedError ? unnamed : known.packsOf(numbersOf(chunks, known));
    places.set(tree.digest, await withPacks(store, tree, packs));
  }
  return reissue({ store, stored, usable, seed: seed ?? lost.seed }, broken, places);
}

/** Every index that may tell of a snapshot's packs. */
interface Indexes {
  made: IndexRef[];
  /** Of snapshots that were carried in: these may lie. */
  carried: IndexRef[];
}

/** Those, and what can be used of the packs. */
function usableFor(
  { snapshot: { recipients: wanted } }: StoredSnapshot,
  store: Store,
  stored: readonly StoredSnapshot[],
  { damaged, spare }: Findings,
): { indexes: Indexes; usable: UsablePacks } {
  const donors = stored.filter(({ snapshot }) => opensFor(wanted, snapshot.recipients)).reverse();
  const indexesOf = (some: StoredSnapshot[]) => some.flatMap(({ parts }) => parts.indexes);
  const { made = [], carried = [] } = Object.groupBy(donors, ({ parts }) =>
    parts.carried ? 'carried' : 'made',
  );
  const fitting = spare.filter(({ recipients }) => opensFor(wanted, recipients)).map(({ ref }) => ref);
  const indexes = { made: [...indexesOf(made), ...fitting], carried: indexesOf(carried) };
  const usable = new UsablePacks(store, [...indexes.made, ...indexes.carried], damaged);
  return { indexes, usable };
}

/** What was made here has the last word on where content is. */
async function loadKnown(
  store: Store,
  { made, carried }: Indexes,
  usable: Pick<UsablePacks, 'has'>,
  before?: KnownChunks,
): ReturnType<typeof loadKnownChunks> {
  const brought = await loadKnownChunks(store, carried, usable, before);
  const { known, seed } = await loadKnownChunks(store, made, usable, brought.known);
  return { known, seed: seed ?? brought.seed };
}

async function reissue(
  { seed = new Uint8Array(32), ...options }: Omit<ReissueOptions, 'seed'> & { seed: Uint8Array | undefined },
  broken: StoredSnapshot,
  places: NewPlaces,
): Promise<StoredSnapshot[]> {
  return reissueManifests({ ...options, seed }, new Map([[broken, places]]));
}

/**
 * Whether all who shall open something can open what is sealed to these; what is sealed stays apart from what is not.
 */
export function opensFor(wanted: readonly string[], recipients: readonly string[]): boolean {
  const bothSealed = wanted.length > 0 === recipients.length > 0;
  return bothSealed && wanted.every((recipient) => recipients.includes(recipient));
}

/** @throws {DamagedError} when the tree cannot be read, or some of its content is nowhere */
async function findAgain(store: Store, tree: TreeRef, known: KnownChunks): Promise<TreeRef> {
  const chunks = await chunksOf(store, tree);
  if (chunks instanceof DamagedError) throw chunks;
  const lost = chunks.values().find((chunk) => known.numberOf(chunk) < 0);
  if (lost !== undefined) throw new DamagedError(`the chunk ${lost} is in no pack that is whole`);
  return withPacks(store, tree, known.packsOf(numbersOf(chunks, known)));
}

async function chunksOf(store: Store, tree: TreeRef): Promise<Set<string> | DamagedError> {
  const all = new Set<string>();
  for await (const segment of readSegments(store, [tree])) {
    if (segment instanceof DamagedError) return segment;
    for (const { chunks = [] } of segment.entries) for (const chunk of chunks) all.add(chunk);
  }
  return all;
}

function numbersOf(chunks: ReadonlySet<string>, known: KnownChunks): number[] {
  return Array.from(chunks, (chunk) => known.numberOf(chunk)).filter((number) => number >= 0);
}

/** How long it is may not have been known while it was lost. */
async function withPacks(store: Store, tree: TreeRef, packs: readonly PackRef[]): Promise<TreeRef> {
  const size = tree.size || ((await blobSize(store, tree.digest)) ?? 0);
  return { ...tree, size, packs: packs.map((pack) => ({ ...pack, source: pack.source || tree.source })) };
}

import { unlink } from 'node:fs/promises';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { publishBlob, type StagedBlob, stageBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, stageIndex } from '../../oci/layout-index.ts';
import { decodeRecipient } from '../age/keys.ts';
import { stageIndexes } from '../packs/stage-indexes.ts';
import type { UsablePacks } from '../packs/usable-packs.ts';
import { gatherIndexes } from '../run/gather-indexes.ts';
import type { Store } from '../seal/store.ts';
import { encodeNextIndex } from '../snapshot/index-json.ts';
import { encodeManifest, type PackRef, type Parts, type TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

export interface ReissueOptions {
  store: Store;
  /** Every snapshot, oldest first. */
  stored: readonly StoredSnapshot[];
  usable: UsablePacks;
  /** Seed of the gear table, for indexes that must be written. */
  seed: Uint8Array;
}

/** Where the chunks of a snapshot's trees are now: each segment with its packs. */
export type NewPlaces = ReadonlyMap<Digest, TreeRef>;

/**
 * Writes the manifests of snapshots anew, because content of theirs lies in other packs now. Their ids stay. A kill in
 * between leaves the old manifest or the new one, each whole as long as the old packs are there; the caller removes
 * those after.
 * @returns every snapshot as it is now
 */
export async function reissueManifests(
  options: ReissueOptions,
  places: ReadonlyMap<StoredSnapshot, NewPlaces>,
): Promise<StoredSnapshot[]> {
  const { store } = options;
  let current = [...options.stored];
  for (const [old, trees] of places) {
    const { parts, staged } = await newParts(options, old, trees);
    for (const blob of staged) await publishBlob(store, blob);
    current = await replaceManifest(store, current, { ...old, parts, trees: treesOf(old, trees) });
  }
  return current;
}

/**
 * Writes the manifest of one snapshot anew, whose other blobs are in place.
 * @param stored every snapshot
 * @param changed the one, with its new parts and its old manifest; of no size when that is lost
 * @returns every snapshot as it is now
 */
export async function replaceManifest(
  store: Store,
  stored: readonly StoredSnapshot[],
  changed: StoredSnapshot,
): Promise<StoredSnapshot[]> {
  const bytes = encodeManifest(changed.parts, changed.snapshot.recipients.length > 0);
  const isSame = digestOf(bytes) === changed.manifest.digest;
  if (isSame && bytes.length === changed.manifest.size) return [...stored];
  const manifest = await stageBlob(store, bytes);
  const reissued = { ...changed, manifest };
  const current = stored.map((each) => (each.snapshot.id === changed.snapshot.id ? reissued : each));
  await publishBlob(store, manifest);
  await syncBlobs(store);
  await stageIndex(store, await encodeNextIndex(store, current));
  await publishIndex(store);
  if (!isSame) await unlink(blobPath(store, changed.manifest.digest)).catch(() => {});
  return current;
}

async function newParts(
  { store, usable, seed }: ReissueOptions,
  { parts, repository, snapshot }: StoredSnapshot,
  places: NewPlaces,
): Promise<{ parts: Parts; staged: StagedBlob[] }> {
  const trees = parts.trees.map((tree) => places.get(tree.digest) ?? tree);
  const packs = new Map<Digest, PackRef>(
    trees.flatMap((tree) => tree.packs).map((pack) => [pack.digest, pack]),
  );
  const { refs, lines } = await gatherIndexes(store, usable, [...packs.values()], parts.indexes);
  const sealing = { ...store, recipients: snapshot.recipients.map(decodeRecipient) };
  const fresh = await stageIndexes(sealing, { repository, seed: Buffer.from(seed) }, lines ?? []);
  const indexes = [...refs, ...fresh.refs];
  return { parts: { ...parts, packs: [...packs.values()], indexes, trees }, staged: fresh.staged };
}

function treesOf({ trees }: StoredSnapshot, places: NewPlaces): Map<string, TreeRef[]> {
  return new Map(
    [...trees].map(([source, refs]) => [source, refs.map((ref) => places.get(ref.digest) ?? ref)]),
  );
}

import { type Digest, digestOf } from '../../oci/digest.ts';
import { blobSize, listBlobs, readBlob } from '../../oci/layout-blobs.ts';
import { readIndex } from '../../oci/layout-index.ts';
import { readPackIndex } from '../packs/read-pack-index.ts';
import type { Store } from '../seal/store.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { type Config, decodeConfig } from '../snapshot/config.ts';
import {
  type BlobRef,
  encodeManifest,
  type IndexRef,
  type PackRef,
  type TreeRef,
} from '../snapshot/manifest.ts';
import { configLimit } from '../snapshot/media-types.ts';
import { blobsOf, decodeSnapshot, type StoredSnapshot } from '../snapshot/stored.ts';
import { unlessUnreadable } from '../unless-unreadable.ts';
import { findSignature } from './lost-signatures.ts';
import { opensFor } from './mend.ts';
import { indexUntoldPacks, type SpareIndex } from './rebuild-indexes.ts';

/** A snapshot whose manifest is lost, as its config tells of it: it is not known yet where its content is. */
export interface Revived {
  stored: StoredSnapshot;
  /** Every index there is: its own must be among them. */
  spare: SpareIndex[];
}

/**
 * Snapshots whose manifests are lost and whose configs are there: everything else in a manifest can be found out again.
 * Without a valid `index.json` every config counts that no manifest names, else those of the manifests that it names.
 */
export async function reviveSnapshots(store: Store, catalog: Catalog): Promise<Revived[]> {
  const known = new Set<Digest>(catalog.stored.flatMap(blobsOf).map(({ digest }) => digest));
  const orphans = (await listBlobs(store)).filter((digest) => !known.has(digest));
  const lost = new Set(catalog.damaged.map(({ id }) => id));
  const isIndexed = (await readIndex(store)) !== undefined;
  const revived: Revived[] = [];
  for (const id of orphans) {
    if (isIndexed && !lost.has(id)) continue;
    const config = await readConfig(store, id);
    const stored = config && (await describe(store, id, config, orphans));
    if (stored === undefined) continue;
    const { recipients } = stored.snapshot;
    // An index that others name too may tell of packs that only this snapshot needs.
    const others = catalog.stored.filter(({ snapshot }) => opensFor(recipients, snapshot.recipients));
    const indexes = others.flatMap(({ parts }) => parts.indexes.map(({ digest }) => digest));
    const found = await findIndexes(store, new Set([...indexes, ...orphans]));
    const spare: SpareIndex[] = found.map((ref) => ({ ref, recipients }));
    const { repository } = stored;
    const untold = await untoldOf(store, orphans, [
      ...blobsOf(stored),
      ...found,
      ...found.flatMap(({ packs }) => packs),
    ]);
    spare.push(...(await indexUntoldPacks(store, untold, { recipients, repository, spare })));
    revived.push({ stored, spare });
  }
  return revived;
}

async function readConfig(store: Store, id: Digest): Promise<Config | undefined> {
  return unlessUnreadable(async () => decodeConfig(await readBlob(store, id, configLimit), `config ${id}`));
}

/** A part of its trees that is missing has no size, for nobody can tell it. */
async function describe(
  store: Store,
  id: Digest,
  { trees, notes, snapshot }: Config,
  orphans: readonly Digest[],
): Promise<StoredSnapshot | undefined> {
  const refs: TreeRef[] = [];
  for (const [source, digests] of trees) {
    for (const digest of digests) {
      refs.push({ digest, size: (await blobSize(store, digest)) ?? 0, source, packs: [] });
    }
  }
  const parts = {
    config: (await present(store, id))!,
    packs: [],
    indexes: [],
    trees: refs,
    notes: notes && (await present(store, notes)),
    signature: await findSignature(store, orphans, id),
  };
  const bytes = encodeManifest(parts, snapshot.recipients.length > 0);
  const digest = digestOf(bytes);
  const stored = await unlessUnreadable(() => decodeSnapshot(store, digest, bytes));
  return stored && { ...stored, manifest: { digest, size: 0 } };
}

async function present(store: Store, digest: Digest): Promise<BlobRef | undefined> {
  const size = await blobSize(store, digest);
  return size === undefined ? undefined : { digest, size };
}

/** Those of these blobs that are indexes which can be read. */
export async function findIndexes(store: Store, digests: Iterable<Digest>): Promise<IndexRef[]> {
  const indexes: IndexRef[] = [];
  for (const digest of digests) {
    const index = await unlessUnreadable(() => readPackIndex(store, { digest }));
    if (index === undefined) continue;
    const packs: PackRef[] = index.packs.map(({ pack, size }) => ({ digest: pack, size, source: '' }));
    indexes.push({ ...(await present(store, digest))!, packs });
  }
  return indexes;
}

/** Of these blobs, those that nothing tells of. */
async function untoldOf(
  store: Store,
  digests: readonly Digest[],
  told: readonly { digest: Digest }[],
): Promise<BlobRef[]> {
  const known = new Set(told.map(({ digest }) => digest));
  const untold = digests.filter((digest) => !known.has(digest));
  return (await Promise.all(untold.map((digest) => present(store, digest)))).filter(
    (blob) => blob !== undefined,
  );
}

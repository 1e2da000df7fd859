import { constants, open } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { listBlobs, readBlob } from '../../oci/layout-blobs.ts';
import { readIndex, readStagedIndex } from '../../oci/layout-index.ts';
import { DamagedError, isUnreadable } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import { type BlobRef, decodeManifest } from './manifest.ts';
import { backupTypes, manifestLimit } from './media-types.ts';
import { inOrderOfMaking } from './order.ts';
import { loadSnapshot, type StoredSnapshot } from './stored.ts';

/** Every snapshot that can be read, oldest first, and what is wrong with the others. */
export interface Catalog {
  stored: StoredSnapshot[];
  damaged: LostSnapshot[];
  /** Further manifests of these snapshots, which say the same in other words and do not count. */
  superseded: BlobRef[];
}

/** A snapshot that cannot be read. */
export interface LostSnapshot {
  manifest: Digest;
  /** Its id, as far as it can be told. */
  id: string;
  error: DamagedError;
}

/**
 * Reads every snapshot. `index.json` only says where to look: when it is missing or names what cannot be read, every
 * small blob is looked at too.
 */
export async function loadCatalog(store: Store): Promise<Catalog> {
  const listed = await listManifests(store);
  if (listed !== undefined) {
    const catalog = await loadAll(store, listed);
    if (catalog.damaged.length === 0) return catalog;
  }
  return loadEverySnapshot(store);
}

/**
 * Reads what `index.json` names, but for a snapshot whose removal was cut short, and what else is there: for decisions
 * that must not overlook one.
 */
export async function loadEverySnapshot(store: Store): Promise<Catalog> {
  const named = (await readIndex(store))?.manifests ?? [];
  const next = (await readStagedIndex(store))?.manifests;
  const present = new Set(await listBlobs(store));
  const goes = (digest: Digest) =>
    next !== undefined && !present.has(digest) && !next.some((other) => other.digest === digest);
  const listed = named.map(({ digest }) => digest).filter((digest) => !goes(digest));
  const { stored, damaged, superseded } = await loadAll(store, [
    ...new Set([...listed, ...(await scanForManifests(store))]),
  ]);
  const whole = new Set(stored.map(({ snapshot }) => snapshot.id));
  // A manifest that is not there, of a snapshot that another one tells of: then only `index.json` is wrong.
  const lost = damaged.filter(({ manifest, id }) => present.has(manifest) || !whole.has(id));
  return { stored, damaged: lost, superseded };
}

/** Those that `index.json` names, and those of a commit that was cut short; `undefined` without a valid index. */
async function listManifests(store: Store): Promise<Digest[] | undefined> {
  const index = await readIndex(store);
  if (index === undefined) return undefined;
  const listed = new Set(index.manifests.map(({ digest }) => digest));
  const staged = (await readStagedIndex(store))?.manifests ?? [];
  const present = staged.length === 0 ? new Set<Digest>() : new Set(await listBlobs(store));
  for (const { digest } of staged) if (present.has(digest)) listed.add(digest);
  return [...listed];
}

/** Manifests of snapshots among all blobs. Ours begin alike, whoever copied them. */
async function scanForManifests(store: Store): Promise<Digest[]> {
  const found: Digest[] = [];
  for (const digest of await listBlobs(store)) {
    if (await beginsLikeManifest(blobPath(store, digest))) found.push(digest);
  }
  return found;
}

/** Whether a file would be taken for the manifest of a snapshot; not one that cannot be read. */
export async function beginsLikeManifest(path: string): Promise<boolean> {
  return headSaysManifest(path).catch((error: unknown) => {
    if (isUnreadable(error)) return false;
    throw error;
  });
}

async function headSaysManifest(path: string): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if ((await file.stat()).size > manifestLimit) return false;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    return head.startsWith('{') && head.includes(`"artifactType":"${backupTypes.snapshot}"`);
  } finally {
    await file.close();
  }
}

/**
 * Those of these snapshots that can be read, oldest first, and the others. A snapshot with two manifests was being
 * issued anew when something killed it: the first one counts, and either tells all that it needs.
 */
async function loadAll(store: Store, manifests: readonly Digest[]): Promise<Catalog> {
  const catalog: Catalog = { stored: [], damaged: [], superseded: [] };
  const known = new Set<string>();
  for (const manifest of manifests) {
    try {
      const stored = await loadSnapshot(store, manifest);
      if (known.has(stored.snapshot.id)) catalog.superseded.push(stored.manifest);
      else catalog.stored.push(stored);
      known.add(stored.snapshot.id);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      catalog.damaged.push({ manifest, id: await idOf(store, manifest), error });
    }
  }
  return { ...catalog, stored: inOrderOfMaking(catalog.stored) };
}

/**
 * The id of a snapshot that cannot be read: from its manifest if only its config is damaged, else from `index.json`,
 * which tells its beginning; without either, the manifest's own digest.
 */
async function idOf(store: Store, manifest: Digest): Promise<string> {
  try {
    return decodeManifest(await readBlob(store, manifest, manifestLimit), manifest).config.digest;
  } catch {
    const named = (await readIndex(store))?.manifests.find(({ digest }) => digest === manifest);
    const name = named?.annotations?.['org.opencontainers.image.ref.name'];
    if (name === undefined) return manifest;
    const beginning = `sha256:${name}`;
    return (await listBlobs(store)).find((digest) => digest.startsWith(beginning)) ?? beginning;
  }
}

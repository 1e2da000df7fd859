import { join } from 'node:path';
import { blobError } from '../../oci/blob-file.ts';
import type { Index } from '../../oci/descriptor.ts';
import { type Layout, layoutVersion } from '../../oci/layout.ts';
import { indexLimit, readIndex, readStagedIndex } from '../../oci/layout-index.ts';
import { isOfSystem, isUnreadable } from '../../support/errors.ts';
import { readSmallFile } from '../../support/small-file.ts';
import type { Damage } from '../repository.ts';
import type { Store } from '../seal/store.ts';
import { type Catalog, loadEverySnapshot } from '../snapshot/catalog.ts';
import { encodeSnapshotIndex } from '../snapshot/index-json.ts';

/**
 * Whether `index.json` and `oci-layout` are what the snapshots say. A commit that was cut short is no damage: the
 * next run finishes it.
 */
export async function checkIndex(store: Store, catalog: Catalog): Promise<Damage[]> {
  const damage: Damage[] = [];
  if (!(await tellsOfAll(store, catalog))) {
    damage.push(wrongFile(store, 'index.json', 'it does not tell of the snapshots that are there'));
  }
  const version = textOf(join(store.directory, 'oci-layout'));
  if (version !== layoutVersion) {
    damage.push(wrongFile(store, 'oci-layout', 'it is not that of an OCI image layout'));
  }
  return damage;
}

/** Others may have come since the snapshots were read, and come still: it is wrong only if it stays as it is. */
async function tellsOfAll(store: Store, read: Catalog): Promise<boolean> {
  let before: string | undefined;
  for (let catalog = read; ; catalog = await loadEverySnapshot(store)) {
    // In this order, which is that of a commit the other way round.
    const staged = await readStagedIndex(store);
    const index = await readIndex(store);
    const text = textOf(join(store.directory, 'index.json'));
    if (namesAll(staged, catalog) || isDerived(index, text, catalog)) return true;
    if (text === before) return false;
    before = text;
  }
}

/** Nothing where it is lost. @throws what the system says when it only cannot be read now */
function textOf(path: string): string {
  try {
    return readSmallFile(path, indexLimit).toString();
  } catch (error) {
    if (isOfSystem(error) && !isUnreadable(error)) throw blobError(path, error);
    return '';
  }
}

function namesAll(index: Index | undefined, { stored }: Catalog): boolean {
  const named = new Set(index?.manifests.map(({ digest }) => digest));
  return stored.length === named.size && stored.every(({ manifest }) => named.has(manifest.digest));
}

function isDerived(index: Index | undefined, text: string, catalog: Catalog): boolean {
  if (index === undefined || !namesAll(index, catalog))
    return catalog.damaged.length > 0 && index !== undefined;
  const byDigest = new Map(catalog.stored.map((stored) => [stored.manifest.digest, stored]));
  const inItsOrder = index.manifests.map(({ digest }) => byDigest.get(digest)!);
  return text === encodeSnapshotIndex(inItsOrder);
}

function wrongFile({ directory }: Layout, name: string, what: string): Damage {
  const path = join(directory, name);
  return { message: `${path}: ${what}`, path, got: undefined, want: undefined, snapshots: [], files: [] };
}

import { join } from 'node:path';
import type { Index } from '../../oci/descriptor.ts';
import { type Layout, layoutVersion } from '../../oci/layout.ts';
import { indexLimit, readIndex, readStagedIndex } from '../../oci/layout-index.ts';
import { readSmallFile } from '../../support/small-file.ts';
import type { Damage } from '../repository.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { encodeSnapshotIndex } from '../snapshot/index-json.ts';

/**
 * Whether `index.json` and `oci-layout` are what the snapshots say. A commit that was cut short is no damage: the
 * next run finishes it.
 */
export async function checkIndex(layout: Layout, catalog: Catalog): Promise<Damage[]> {
  const damage: Damage[] = [];
  const staged = await readStagedIndex(layout);
  const text = textOf(join(layout.directory, 'index.json'));
  if (!namesAll(staged, catalog) && !isDerived(await readIndex(layout), text, catalog)) {
    damage.push(wrongFile(layout, 'index.json', 'it does not tell of the snapshots that are there'));
  }
  const version = textOf(join(layout.directory, 'oci-layout'));
  if (version !== layoutVersion) {
    damage.push(wrongFile(layout, 'oci-layout', 'it is not that of an OCI image layout'));
  }
  return damage;
}

/** Nothing where it cannot be read. */
function textOf(path: string): string {
  try {
    return readSmallFile(path, indexLimit).toString();
  } catch {
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

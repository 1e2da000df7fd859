import type { Digest } from '../../oci/digest.ts';
import type { Layout } from '../../oci/layout.ts';
import { blobSize } from '../../oci/layout-blobs.ts';
import type { BlobRef, IndexRef, PackRef } from '../snapshot/manifest.ts';

/**
 * Which packs a new snapshot may build on: those that are there, as long as they should be, and told of by an index
 * that is there too. Each file is looked at once, and not read.
 */
export class UsablePacks {
  readonly #layout: Layout;
  readonly #damaged: ReadonlySet<Digest>;
  readonly #indexes: Map<Digest, IndexRef[]>;
  readonly #present = new Map<Digest, Promise<boolean>>();

  /**
   * @param indexes of all snapshots, the newest first
   * @param damaged blobs that verifying found to be damaged
   */
  constructor(layout: Layout, indexes: readonly IndexRef[], damaged: ReadonlySet<Digest>) {
    this.#layout = layout;
    this.#damaged = damaged;
    this.#indexes = byPack(indexes);
  }

  async has(pack: PackRef): Promise<boolean> {
    return (await this.isPresent(pack)) && (await this.indexOf(pack)) !== undefined;
  }

  async all(packs: readonly PackRef[]): Promise<boolean> {
    for (const pack of packs) if (!(await this.has(pack))) return false;
    return true;
  }

  /** An index that tells of the pack. */
  async indexOf(pack: PackRef): Promise<IndexRef | undefined> {
    for (const index of this.#indexes.get(pack.digest) ?? []) if (await this.isPresent(index)) return index;
    return undefined;
  }

  /** Whether a blob is there, as long as it should be, and not known to be damaged. */
  isPresent(blob: BlobRef): Promise<boolean> {
    const known = this.#present.get(blob.digest);
    if (known !== undefined) return known;
    const asked = this.#damaged.has(blob.digest)
      ? Promise.resolve(false)
      : blobSize(this.#layout, blob.digest).then((size) => size === blob.size);
    this.#present.set(blob.digest, asked);
    return asked;
  }
}

function byPack(indexes: readonly IndexRef[]): Map<Digest, IndexRef[]> {
  const found = new Map<Digest, IndexRef[]>();
  for (const index of indexes) {
    for (const { digest } of index.packs) {
      const known = found.get(digest);
      if (known === undefined) found.set(digest, [index]);
      else known.push(index);
    }
  }
  return found;
}

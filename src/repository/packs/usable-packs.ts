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
  readonly #told = new Map<Digest, IndexRef[]>();
  readonly #untold: AsyncIterator<IndexRef>;
  #looking: Promise<boolean> = Promise.resolve(true);
  readonly #present = new Map<Digest, Promise<boolean>>();

  /**
   * @param indexes of all snapshots that may be built on, the newest first; asked for only as far as they are needed
   * @param damaged blobs that verifying found to be damaged
   */
  constructor(
    layout: Layout,
    indexes: Iterable<IndexRef> | AsyncIterable<IndexRef>,
    damaged: ReadonlySet<Digest>,
  ) {
    this.#layout = layout;
    this.#damaged = damaged;
    this.#untold = eachOf(indexes);
  }

  async has(pack: PackRef): Promise<boolean> {
    return (await this.isPresent(pack)) && (await this.indexOf(pack)) !== undefined;
  }

  async all(packs: readonly PackRef[]): Promise<boolean> {
    for (const pack of packs) if (!(await this.has(pack))) return false;
    return true;
  }

  /**
   * An index that tells of the pack.
   * @param own those of the snapshot that asks, which go first: what another one brought may not be true
   */
  async indexOf(pack: PackRef, own?: IndexesByPack): Promise<IndexRef | undefined> {
    for (const index of own?.get(pack.digest) ?? []) if (await this.isPresent(index)) return index;
    for await (const index of this.#tellingOf(pack)) if (await this.isPresent(index)) return index;
    return undefined;
  }

  async *#tellingOf({ digest }: PackRef): AsyncGenerator<IndexRef> {
    let seen = 0;
    do {
      const told = this.#told.get(digest) ?? [];
      while (seen < told.length) yield told[seen++]!;
    } while (await this.#lookFurther());
  }

  /** @returns whether there was one more index */
  #lookFurther(): Promise<boolean> {
    this.#looking = this.#looking.then(async () => {
      const { value, done } = await this.#untold.next();
      if (done === true) return false;
      noteByPack(this.#told, value);
      return true;
    });
    return this.#looking;
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

/** The indexes that tell of each pack, in the order in which they were given. */
export type IndexesByPack = ReadonlyMap<Digest, readonly IndexRef[]>;

export function byPack(indexes: readonly IndexRef[]): IndexesByPack {
  const found = new Map<Digest, IndexRef[]>();
  for (const index of indexes) noteByPack(found, index);
  return found;
}

function noteByPack(found: Map<Digest, IndexRef[]>, index: IndexRef): void {
  for (const { digest } of index.packs) {
    const known = found.get(digest);
    if (known === undefined) found.set(digest, [index]);
    else known.push(index);
  }
}

async function* eachOf(indexes: Iterable<IndexRef> | AsyncIterable<IndexRef>): AsyncGenerator<IndexRef> {
  yield* indexes;
}

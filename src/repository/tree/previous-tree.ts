import { DamagedError } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { decodeLineAt } from './long-line.ts';
import { linesOf, type PreviousLine, type PreviousSegment } from './previous-line.ts';
import { readSegments, readSegmentTexts, type SegmentText } from './read-tree.ts';

/** The tree that a run compares its source with. */
export class PreviousTree {
  readonly #store: Store;
  readonly #refs: readonly TreeRef[];
  readonly #onDamage: (error: DamagedError) => void;
  #smallTree: Promise<Set<string>> | undefined;

  /** @param onDamage is told of a segment or line that cannot be read; its files are then new ones */
  constructor(store: Store, refs: readonly TreeRef[], onDamage: (error: DamagedError) => void) {
    this.#store = store;
    this.#refs = refs;
    this.#onDamage = onDamage;
  }

  /** The lines of each segment. */
  async *segments(): AsyncGenerator<Iterable<PreviousLine>> {
    for await (const read of readSegmentTexts(this.#store, this.#refs)) {
      if (read instanceof DamagedError) this.#onDamage(read);
      else yield linesOf({ ...read, decode: this.#decoderOf(read) });
    }
  }

  /**
   * The chunks that a tree of a segment or two names, as the trees of dumps are: so that a dump that is what it was is
   * known without the indexes. None of a larger tree.
   */
  async chunksOfSmallTree(usable: ReadonlySet<TreeRef>): Promise<ReadonlySet<string>> {
    this.#smallTree ??= this.#readSmallTree(usable);
    return this.#smallTree;
  }

  async #readSmallTree(usable: ReadonlySet<TreeRef>): Promise<Set<string>> {
    const chunks = new Set<string>();
    if (this.#refs.length > 2) return chunks;
    for await (const segment of readSegments(this.#store, this.#refs)) {
      if (segment instanceof DamagedError || !usable.has(segment.ref)) continue;
      for (const entry of segment.entries) for (const chunk of entry.chunks ?? []) chunks.add(chunk);
    }
    return chunks;
  }

  /** Of a segment's damaged lines only the first is told of. */
  #decoderOf({ ref, text }: SegmentText): PreviousSegment['decode'] {
    let isTold = false;
    return (from, to) => {
      try {
        return decodeLineAt(text, from, to, `tree ${ref.digest}`);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        if (!isTold) this.#onDamage(error);
        isTold = true;
        return undefined;
      }
    };
  }
}

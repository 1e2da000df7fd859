import { DamagedError } from '../../support/errors.ts';
import { comparePaths, type Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { readSegments, type Segment } from './read-tree.ts';

/** A segment whose entries were handed out, at least some of them. */
export interface ReadSegment extends Segment {
  /** Which line an entry came from. */
  numbers: Map<Readonly<Entry>, number>;
}

export interface Origin {
  segment: ReadSegment;
  number: number;
}

/** The tree that a run compares its source with, remembering where each entry came from. */
export class PreviousTree {
  readonly #store: Store;
  readonly #refs: readonly TreeRef[];
  readonly #onDamage: (error: DamagedError) => void;
  /** From the segment that was last added to, to the one being handed out. */
  #live: ReadSegment[] = [];
  #smallTree: Promise<Set<string>> | undefined;

  /** @param onDamage is told of a segment that cannot be read; its files are then new ones */
  constructor(store: Store, refs: readonly TreeRef[], onDamage: (error: DamagedError) => void) {
    this.#store = store;
    this.#refs = refs;
    this.#onDamage = onDamage;
  }

  async *entries(): AsyncGenerator<Readonly<Entry>> {
    this.#live = [];
    for await (const read of readSegments(this.#store, this.#refs)) {
      if (read instanceof DamagedError) {
        this.#onDamage(read);
        continue;
      }
      const numbers = new Map(read.entries.map((entry, number) => [entry, number]));
      this.#live.push({ ...read, numbers });
      yield* read.entries;
    }
  }

  /**
   * The chunks that a tree of a segment or two names, as the trees of dumps are: so that a dump that is what it was is known without
   * the indexes. None of a larger tree.
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

  /** The segment that an entry was handed out from. */
  segmentOf(entry: Readonly<Entry>): TreeRef | undefined {
    return this.#live.findLast(({ numbers }) => numbers.has(entry))?.ref;
  }

  /** Where an entry came from, if it is one that was handed out; forgets the segments that end before it. */
  originOf(entry: Readonly<Entry>): Origin | undefined {
    while (this.#endsBefore(entry)) this.#live.shift();
    for (const segment of this.#live) {
      const number = segment.numbers.get(entry);
      if (number !== undefined) return { segment, number };
    }
    return undefined;
  }

  #endsBefore({ path }: Readonly<Entry>): boolean {
    const last = this.#live[0]?.entries.at(-1);
    return last !== undefined && comparePaths(last.path, path) < 0;
  }
}

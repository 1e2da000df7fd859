import { randomBytes } from 'node:crypto';
import { stagingPath } from '../../oci/layout.ts';
import { digestBytes } from '../chunks/table.ts';
import { IngestPool } from '../ingest/pool.ts';
import type { KnownChunks } from '../packs/known-chunks.ts';
import { loadKnownChunks } from '../packs/load-known.ts';
import type { UsablePacks } from '../packs/usable-packs.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef } from '../snapshot/manifest.ts';
import { addNewPack, type NewPack } from './new-pack.ts';
import type { FileToStore, StoredFile } from './run.ts';

export interface IngestOptions {
  store: Store;
  /** Of every snapshot that can be built on, the newest first; called once, when what is known is needed. */
  indexes: () => Promise<readonly IndexRef[]>;
  usable: UsablePacks;
  /** Bytes at which a pack is full. */
  packGoal: number;
  /** Threads that are there already. */
  pool: IngestPool | undefined;
}

/**
 * The way of content into the repository during one run. What is known and the threads are got when they are first
 * needed: a run that finds nothing new needs neither.
 */
export class Ingest {
  readonly packs: NewPack[] = [];
  readonly #options: IngestOptions;
  #loading: Promise<KnownChunks> | undefined;
  #known: KnownChunks | undefined;
  #seed: Buffer | undefined;
  #pool: Promise<IngestPool> | undefined;
  #source = '';
  #newBytes = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /** Packs from now on are of this source. */
  begin(source: string): void {
    this.#source = source;
    this.#newBytes = 0;
  }

  async storeFiles(files: readonly FileToStore[]): Promise<StoredFile[]> {
    return files.length === 0 ? [] : (await this.#start()).storeFiles(files);
  }

  async storeStream(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }> {
    return (await this.#start()).storeStream(content);
  }

  /** Completes the packs of the source, and tells how many bytes of its chunks were new. */
  async end(): Promise<number> {
    if (this.#pool !== undefined) await (await this.#pool).finish();
    return this.#newBytes;
  }

  async known(): Promise<KnownChunks> {
    this.#loading ??= this.#load();
    this.#known = await this.#loading;
    return this.#known;
  }

  /** What is known by now, if it was needed. */
  get knownNow(): KnownChunks | undefined {
    return this.#known;
  }

  /** Seed of the gear table: the repository's own, else a new one. */
  async seed(): Promise<Buffer> {
    await this.known();
    this.#seed ??= randomBytes(32);
    return this.#seed;
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    await (pool ?? this.#options.pool)?.close();
  }

  async #load(): Promise<KnownChunks> {
    const { store, indexes, usable } = this.#options;
    const { known, seed } = await loadKnownChunks(store, await indexes(), usable);
    this.#seed = seed;
    return known;
  }

  #start(): Promise<IngestPool> {
    this.#pool ??= this.#startPool();
    return this.#pool;
  }

  async #startPool(): Promise<IngestPool> {
    const { store, packGoal, pool = new IngestPool() } = this.#options;
    const [seed, known] = await Promise.all([this.seed(), this.known()]);
    pool.begin({
      seed,
      packPrefix: stagingPath(store, 'chunks-'),
      packGoal,
      recipients: store.recipients,
      directory: store.directory,
      onAsk: (digests, sizes) => this.#claim(known, digests, sizes),
      onPack: (pack) => this.packs.push(addNewPack(pack, this.#source, known)),
    });
    return pool;
  }

  #claim(known: KnownChunks, digests: Uint8Array, sizes: readonly number[]): Uint8Array {
    return Uint8Array.from(sizes, (size, i) => {
      if (!known.claim(digests, i * digestBytes)) return 0;
      this.#newBytes += size;
      return 1;
    });
  }
}

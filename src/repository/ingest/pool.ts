import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { optimizeFully } from '../../support/optimizing.ts';
import { returnLargeBlocks } from '../../support/posix/malloc.ts';
import type { WrittenPack } from '../packs/pack-file.ts';
import type { FileToStore, StoredFile } from '../run/run.ts';
import { writeError } from '../write-error.ts';
import { gathered } from './gather.ts';
import { Lane } from './lane.ts';
import type { FromWorker, WorkerSetup } from './messages.ts';
import { packFiles } from './packed.ts';

export interface PoolOptions extends WorkerSetup {
  /** For messages. */
  directory: string;
  /** Which of these chunks (32 bytes of digest each) to store: 1 each, else 0. */
  onAsk(digests: Uint8Array, sizes: readonly number[]): Uint8Array;
  onPack(pack: WrittenPack): void;
}

/** A thread for two cores, for compression keeps the thread pool as busy; more than this gain little. */
const mostWorkers = 4;
/** What one worker gets at a time: so many files or bytes. */
const jobLimits = { files: 128, bytes: 8 * 1024 * 1024 } as const;
/** Work in the queue of each worker, in bytes, above which callers wait. */
const queueLimit = 32 * 1024 * 1024;
/** Opening a file takes as long as reading so many bytes. */
const costOfFile = 16 * 1024;

/**
 * The threads that store content, and how work is shared among them. They start at once, and wait to be told what for.
 */
export class IngestPool {
  #options: PoolOptions | undefined;
  readonly #lanes: Lane[] = [];
  readonly #waiting: (() => void)[] = [];
  #streams: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;
  #closed = false;

  constructor() {
    returnLargeBlocks();
    optimizeFully();
    const count = Math.max(1, Math.min(availableParallelism() >> 1, mostWorkers));
    for (let i = 0; i < count; i++) this.#lanes.push(this.#startLane());
  }

  /** Comes before anything is stored. */
  begin(options: PoolOptions): void {
    this.#options = options;
    const { seed, packPrefix, packGoal, recipients } = options;
    for (const [i, lane] of this.#lanes.entries())
      lane.send({ kind: 'begin', setup: { seed, packPrefix: `${packPrefix}${i}`, packGoal, recipients } });
  }

  async storeFiles(files: readonly FileToStore[]): Promise<StoredFile[]> {
    const stored: Promise<StoredFile[]>[] = [];
    for (const job of splitJobs(files)) {
      const lane = await this.#laneWithRoom();
      const files = lane.run({ kind: 'files', files: packFiles(job.files) }, job.cost);
      files.catch(() => {}); // Should it fail while the next one waits for room, that one tells.
      stored.push(files as Promise<StoredFile[]>);
    }
    return (await Promise.all(stored)).flat();
  }

  /** The chunks and size of a stream's bytes; one stream after the other. */
  async storeStream(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }> {
    const stored = this.#streams.then(() => this.#storeStream(content));
    this.#streams = stored.catch(() => {});
    return stored;
  }

  /** Completes every pack. */
  async finish(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.run({ kind: 'finish' }, 0)));
  }

  /** Ends the threads. What they have not stored yet is never answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#lanes.map((lane) => lane.leave()));
  }

  async #storeStream(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }> {
    const lane = await this.#laneWithRoom();
    const stored = lane.run({ kind: 'stream' }, queueLimit) as Promise<{ chunks: string[]; size: number }>;
    stored.catch(() => {});
    try {
      for await (const piece of gathered(content)) await lane.sendPiece(piece);
    } finally {
      await lane.sendPiece(new Uint8Array(0));
    }
    return stored;
  }

  async #laneWithRoom(): Promise<Lane> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const lane = this.#lanes.reduce((least, other) => (other.queued < least.queued ? other : least));
      if (lane.queued < queueLimit) return lane;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #startLane(): Lane {
    const worker = new Worker(workerUrl(), { resourceLimits: { maxYoungGenerationSizeMb: 3 } });
    const lane = new Lane(worker, () => this.#waiting.splice(0).forEach((resolve) => void resolve()));
    worker.on('message', (message: FromWorker) => this.#handle(lane, message));
    worker.on('error', (error: Error) => this.#fail(error));
    worker.on('exit', () => {
      if (!this.#closed) this.#fail(new Error('the thread that stores content has ended by itself'));
    });
    return lane;
  }

  #handle(lane: Lane, message: FromWorker): void {
    if (message.kind === 'ask') {
      lane.send({ kind: 'wanted', wanted: this.#options!.onAsk(message.digests, message.sizes) });
    } else if (message.kind === 'pack') {
      this.#options!.onPack(message.pack);
    } else if (message.kind === 'failed') {
      this.#fail(Object.assign(new Error(message.message), { code: message.code }));
    } else {
      lane.handle(message);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= this.#options === undefined ? error : writeError(this.#options.directory, error);
    for (const lane of this.#lanes) lane.fail(this.#failure);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** In `dist/` the worker's entry stands beside the single file. */
function workerUrl(): URL {
  return typeof DOCKERCTL_BUNDLED === 'undefined'
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./repository-worker.cjs', import.meta.url);
}

declare const DOCKERCTL_BUNDLED: boolean | undefined;

function* splitJobs(files: readonly FileToStore[]): Generator<{ files: FileToStore[]; cost: number }> {
  let job: FileToStore[] = [];
  let cost = 0;
  for (const file of files) {
    job.push(file);
    cost += Math.min(file.size, queueLimit) + costOfFile;
    if (job.length < jobLimits.files && cost < jobLimits.bytes) continue;
    yield { files: job, cost };
    job = [];
    cost = 0;
  }
  if (job.length > 0) yield { files: job, cost };
}

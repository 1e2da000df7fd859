import { closeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { DirectoryHandle } from './directory-handle.ts';
import {
  decodeStat,
  gateStop,
  gateTaken,
  parentOf,
  type WalkBatch,
  type WalkJob,
} from './thread-messages.ts';
import type { Seen, WalkOptions, WalkRoot } from './walk.ts';

/**
 * `walkAll` on a thread of its own, so that the next files are looked at while these are dealt with. A part is to be looked through
 * before the next is asked for.
 */
export async function* walkInThread(
  roots: readonly WalkRoot[],
  { onProblem, closeDirectory: _, ...options }: WalkOptions,
): AsyncGenerator<Iterable<Seen>, void, undefined> {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const batches = new Batches({ roots, options, gate });
  const handles = new Map<number, DirectoryHandle>();
  try {
    for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
      for (const problem of batch.problems) onProblem(problem);
      yield filesOf(batch, handles);
    }
  } finally {
    Atomics.store(gate, gateStop, 1);
    Atomics.notify(gate, gateTaken);
    for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
      leave(batch, Number.POSITIVE_INFINITY, handles);
    }
    await batches.end();
  }
}

/** Directories that the walk has left are let go of when their files were looked at, all of them also when that ends early. */
function* filesOf(batch: WalkBatch, handles: Map<number, DirectoryHandle>): Generator<Seen, void, undefined> {
  const names = batch.names.split('\0');
  try {
    for (let i = 0; i < batch.count; i++) {
      leave(batch, i, handles);
      const parent = handleOf(parentOf(batch, i), handles);
      yield { path: names[2 * i]!, name: names[2 * i + 1]!, parent, stat: decodeStat(batch, i) };
    }
  } finally {
    leave(batch, Number.POSITIVE_INFINITY, handles);
  }
}

function leave({ left }: WalkBatch, files: number, handles: Map<number, DirectoryHandle>): void {
  while (left[0] !== undefined && left[0].after <= files) {
    const { descriptor } = left.shift()!;
    const handle = handles.get(descriptor);
    handles.delete(descriptor);
    if (handle === undefined) closeSync(descriptor);
    else handle.release();
  }
}

function handleOf(descriptor: number, handles: Map<number, DirectoryHandle>): DirectoryHandle {
  const known = handles.get(descriptor);
  if (known !== undefined) return known;
  const handle = new DirectoryHandle(descriptor);
  handles.set(descriptor, handle);
  return handle;
}

/** What the thread sends, in order. */
class Batches {
  readonly #worker: Worker;
  readonly #gate: Int32Array;
  readonly #arrived: WalkBatch[] = [];
  #ended = false;
  #failure: Error | undefined;
  #onArrival: (() => void) | undefined;

  constructor(job: WalkJob) {
    this.#gate = job.gate;
    // The directories it opens outlive it here.
    this.#worker = new Worker(workerUrl(), { workerData: job, trackUnmanagedFds: false });
    this.#worker.on('message', (batch: WalkBatch) => this.#arrive(() => this.#arrived.push(batch)));
    this.#worker.on('error', (error: Error) => this.#arrive(() => (this.#failure = error)));
  }

  /** `undefined` after the last. */
  async next(): Promise<WalkBatch | undefined> {
    if (this.#ended) return undefined;
    while (this.#arrived.length === 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#onArrival = resolve;
      });
    }
    const batch = this.#arrived.shift();
    this.#ended = batch === undefined || batch.isLast;
    if (batch === undefined) throw this.#failure;
    Atomics.add(this.#gate, gateTaken, 1);
    Atomics.notify(this.#gate, gateTaken);
    return batch;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #arrive(take: () => void): void {
    take();
    this.#onArrival?.();
  }
}

/** In `dist/` the worker's entry stands beside the single file. */
function workerUrl(): URL {
  return typeof DOCKERCTL_BUNDLED === 'undefined'
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./backup-worker.js', import.meta.url);
}

declare const DOCKERCTL_BUNDLED: boolean | undefined;

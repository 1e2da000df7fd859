import type { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './messages.ts';
import { unpackResults } from './packed.ts';

/** Pieces of a stream that a worker may have and not have taken. */
const piecesAhead = 8;

/** One worker, the jobs it has, and the pieces of a stream on their way to it. */
export class Lane {
  readonly #worker: Worker;
  /** Cost of the jobs that it has not answered. */
  queued = 0;
  readonly #jobs = new Map<
    number,
    { cost: number; resolve(value: unknown): void; reject(error: Error): void }
  >();
  readonly #onRoom: () => void;
  #next = 0;
  #pieces = 0;
  #onTaken: (() => void) | undefined;
  readonly #ended: Promise<void>;
  #failure: Error | undefined;

  constructor(worker: Worker, onRoom: () => void) {
    this.#worker = worker;
    this.#onRoom = onRoom;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  async run(job: Job, cost: number): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    this.queued += cost;
    const number = this.#next++;
    const done = new Promise((resolve, reject) => this.#jobs.set(number, { cost, resolve, reject }));
    this.send({ ...job, job: number });
    return done;
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /**
   * Waits while the worker has a few pieces that it has not taken. It gets the piece itself, no copy.
   * @throws what the worker failed with: nobody would take the piece, and all that follow would pile up in memory
   */
  async sendPiece(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.#pieces >= piecesAhead && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#onTaken = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#pieces++;
    this.#worker.postMessage({ kind: 'piece', bytes } satisfies ToWorker, [bytes.buffer]);
  }

  handle(message: FromWorker): void {
    if (message.kind === 'taken') {
      this.#pieces--;
      this.#onTaken?.();
    } else if (message.kind === 'stored') this.#resolve(message.job, unpackResults(message.files));
    else if (message.kind === 'streamed')
      this.#resolve(message.job, { chunks: message.chunks, size: message.size });
    else if (message.kind === 'finished') this.#resolve(message.job, undefined);
  }

  fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#jobs.values()) reject(error);
    this.#jobs.clear();
    this.#onTaken?.();
  }

  /**
   * Lets the thread end by itself, between two steps. Terminated, it takes the whole process along (SIGABRT) when it
   * is just loading a native module or making a compressor.
   */
  async leave(): Promise<void> {
    this.send({ kind: 'leave' });
    await this.#ended;
  }

  #resolve(number: number, value: unknown): void {
    const job = this.#jobs.get(number);
    if (job === undefined) return;
    this.#jobs.delete(number);
    this.queued -= job.cost;
    job.resolve(value);
    this.#onRoom();
  }
}

/** `Omit` over each member of a union. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Job = Without<Extract<ToWorker, { job: number }>, 'job'>;

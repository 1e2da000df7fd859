import { codeOf, messageOf } from '../../support/errors.ts';
import { gearTable } from '../chunks/gear.ts';
import { digestBytes } from '../chunks/table.ts';
import { type FrameBuffer, FrameBuffers } from '../packs/frame-buffer.ts';
import { PackWriter } from '../packs/pack-writer.ts';
import type { StoredFile } from '../run/run.ts';
import { Chunker, type Read } from './chunker.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.ts';
import { openAhead } from './open-ahead.ts';
import { packResults, unpackFiles } from './packed.ts';
import { readFile } from './read-file.ts';

/** One is filled, one waits for its answer, and two are compressed. */
const framesInFlight = 4;

/**
 * Reads, cuts, hashes, compresses and writes on a thread of its own. Content never crosses to another thread: only
 * digests go to the main thread, which knows what the repository lacks.
 */
export class IngestWorker {
  readonly #send: (message: FromWorker) => void;
  readonly #writer: PackWriter;
  readonly #chunker: Chunker;
  readonly #asked: ((wanted: Uint8Array) => void)[] = [];
  /** To what was asked of the frame that has begun, and of how many of its chunks. */
  #answers: Promise<Uint8Array>[] = [];
  #chunksAsked = 0;
  readonly #pieces: Uint8Array[] = [];
  #onPiece: (() => void) | undefined;
  /** Jobs run one after the other; so do the frames on their way into packs. */
  #jobs: Promise<void> = Promise.resolve();
  #packed: Promise<void> = Promise.resolve();

  constructor({ seed, packPrefix, packGoal, recipients }: WorkerSetup, send: (message: FromWorker) => void) {
    this.#send = send;
    const buffers = new FrameBuffers(framesInFlight);
    let packs = 0;
    this.#writer = new PackWriter({
      buffers,
      nextPath: () => `${packPrefix}-${packs++}.pack`,
      goal: packGoal,
      recipients,
      onPack: (pack) => send({ kind: 'pack', pack }),
    });
    this.#chunker = new Chunker(gearTable(seed), buffers, (frame) => this.#pack(frame));
  }

  handle(message: Exclude<ToWorker, { kind: 'begin' | 'leave' }>): void {
    if (message.kind === 'wanted') this.#asked.shift()!(message.wanted);
    else if (message.kind === 'piece') {
      this.#pieces.push(message.bytes);
      this.#onPiece?.();
    } else this.#jobs = this.#jobs.then(() => this.#run(message)).catch((error) => this.#fail(error));
  }

  async #run(message: Job): Promise<void> {
    switch (message.kind) {
      case 'files': {
        const files: StoredFile[] = [];
        for (const file of openAhead(unpackFiles(message.files))) {
          const stored = 'error' in file ? file : readFile(file, this.#chunker);
          files.push(stored instanceof Promise ? await stored : stored); // To await what is there takes its time.
        }
        this.#ask(this.#chunker.frame);
        return this.#send({ kind: 'stored', job: message.job, files: packResults(files) });
      }
      case 'stream': {
        const stored = await this.#chunker.addLarge(this.#readPieces());
        this.#ask(this.#chunker.frame);
        return this.#send({ kind: 'streamed', job: message.job, ...stored });
      }
      case 'finish':
        this.#chunker.flush();
        await this.#packed;
        await this.#writer.finish();
        return this.#send({ kind: 'finished', job: message.job });
    }
  }

  /** Asks which of the frame's chunks are new, and packs those. */
  #pack(frame: FrameBuffer): void {
    this.#ask(frame);
    const waiting = this.#answers;
    this.#answers = [];
    this.#chunksAsked = 0;
    this.#packed = this.#packed.then(async () => {
      frame.keep(Buffer.concat(await Promise.all(waiting)));
      this.#writer.addFrame(frame).catch((error) => this.#fail(error));
    });
    this.#packed.catch((error) => this.#fail(error));
  }

  /** The main thread must have been asked for a file's chunks before it hears of the file. */
  #ask(frame: FrameBuffer | undefined): void {
    if (frame === undefined || frame.sizes.length === this.#chunksAsked) return;
    this.#answers.push(new Promise((resolve) => this.#asked.push(resolve)));
    const digests = new Uint8Array(frame.digests.subarray(this.#chunksAsked * digestBytes));
    this.#send({ kind: 'ask', digests, sizes: frame.sizes.slice(this.#chunksAsked) });
    this.#chunksAsked = frame.sizes.length;
  }

  /** Pieces that come from the main thread, one at a time. */
  #readPieces(): Read {
    let piece: Uint8Array | undefined;
    return async (buffer, offset) => {
      piece ??= await this.#nextPiece();
      const length = Math.min(piece.length, buffer.length - offset);
      buffer.set(piece.subarray(0, length), offset);
      piece = piece.length > length ? piece.subarray(length) : undefined;
      return length;
    };
  }

  async #nextPiece(): Promise<Uint8Array> {
    while (this.#pieces.length === 0) await new Promise<void>((resolve) => (this.#onPiece = resolve));
    this.#send({ kind: 'taken' });
    return this.#pieces.shift()!;
  }

  #fail(error: unknown): void {
    this.#send({ kind: 'failed', message: messageOf(error), code: codeOf(error) });
  }
}

type Job = Extract<ToWorker, { job: number }>;

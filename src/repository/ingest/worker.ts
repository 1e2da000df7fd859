import { parentPort, workerData } from 'node:worker_threads';
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

/**
 * A thread that reads, cuts, hashes, compresses and writes. Content never crosses to another thread: only digests
 * go to the main thread, which knows what the repository lacks.
 */
const port = parentPort!;
const setup = workerData as WorkerSetup;
/** One is filled, one waits for its answer, and two are compressed. */
const framesInFlight = 4;
let packs = 0;
const buffers = new FrameBuffers(framesInFlight);
const writer = new PackWriter({
  buffers,
  nextPath: () => `${setup.packPrefix}-${packs++}.pack`,
  goal: setup.packGoal,
  recipients: setup.recipients,
  onPack: (pack) => send({ kind: 'pack', pack }),
});
const chunker = new Chunker(gearTable(setup.seed), buffers, pack);
const asked: ((wanted: Uint8Array) => void)[] = [];
/** To what was asked of the frame that has begun, and of how many of its chunks. */
let answers: Promise<Uint8Array>[] = [];
let chunksAsked = 0;
const pieces: Uint8Array[] = [];
let onPiece: (() => void) | undefined;
/** Jobs run one after the other; so do the frames on their way into packs. */
let jobs: Promise<void> = Promise.resolve();
let packed: Promise<void> = Promise.resolve();

port.on('message', (message: ToWorker) => {
  if (message.kind === 'wanted') asked.shift()!(message.wanted);
  else if (message.kind === 'piece') {
    pieces.push(message.bytes);
    onPiece?.();
  } else if (message.kind === 'leave') process.exit();
  else jobs = jobs.then(() => run(message)).catch(fail);
});

type Job = Extract<ToWorker, { job: number }>;

async function run(message: Job): Promise<void> {
  switch (message.kind) {
    case 'files': {
      const files: StoredFile[] = [];
      for (const file of openAhead(unpackFiles(message.files)))
        files.push('error' in file ? file : await readFile(file, chunker));
      ask(chunker.frame);
      return send({ kind: 'stored', job: message.job, files: packResults(files) });
    }
    case 'stream': {
      const stored = await chunker.addLarge(readPieces());
      ask(chunker.frame);
      return send({ kind: 'streamed', job: message.job, ...stored });
    }
    case 'finish':
      chunker.flush();
      await packed;
      await writer.finish();
      return send({ kind: 'finished', job: message.job });
  }
}

/** Asks which of the frame's chunks are new, and packs those. */
function pack(frame: FrameBuffer): void {
  ask(frame);
  const waiting = answers;
  answers = [];
  chunksAsked = 0;
  packed = packed.then(async () => {
    frame.keep(Buffer.concat(await Promise.all(waiting)));
    writer.addFrame(frame).catch(fail);
  });
  packed.catch(fail);
}

/** The main thread must have been asked for a file's chunks before it hears of the file. */
function ask(frame: FrameBuffer | undefined): void {
  if (frame === undefined || frame.sizes.length === chunksAsked) return;
  answers.push(new Promise((resolve) => asked.push(resolve)));
  const digests = new Uint8Array(frame.digests.subarray(chunksAsked * digestBytes));
  send({ kind: 'ask', digests, sizes: frame.sizes.slice(chunksAsked) });
  chunksAsked = frame.sizes.length;
}

/** Pieces that come from the main thread, one at a time. */
function readPieces(): Read {
  let piece: Uint8Array | undefined;
  return async (buffer, offset) => {
    piece ??= await nextPiece();
    const length = Math.min(piece.length, buffer.length - offset);
    buffer.set(piece.subarray(0, length), offset);
    piece = piece.length > length ? piece.subarray(length) : undefined;
    return length;
  };
}

async function nextPiece(): Promise<Uint8Array> {
  while (pieces.length === 0) await new Promise<void>((resolve) => (onPiece = resolve));
  send({ kind: 'taken' });
  return pieces.shift()!;
}

function send(message: FromWorker): void {
  port.postMessage(message);
}

function fail(error: unknown): void {
  send({ kind: 'failed', message: messageOf(error), code: codeOf(error) });
}

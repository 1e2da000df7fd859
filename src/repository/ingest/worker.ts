import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, messageOf } from '../../support/errors.ts';
import { gearTable } from '../chunks/gear.ts';
import { PackWriter } from '../packs/pack-writer.ts';
import type { StoredFile } from '../run/run.ts';
import type { Arena } from './arena.ts';
import { Chunker, type Read } from './chunker.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.ts';
import { packResults, unpackFiles } from './packed.ts';
import { readFile } from './read-file.ts';

/**
 * A thread that reads, cuts, hashes, compresses and writes. Content never crosses to another thread: only digests
 * go to the main thread, which knows what the repository lacks.
 */
const port = parentPort!;
const setup = workerData as WorkerSetup;
let packs = 0;
const writer = new PackWriter({
  nextPath: () => `${setup.packPrefix}-${packs++}.pack`,
  goal: setup.packGoal,
  recipients: setup.recipients,
  onPack: (pack) => send({ kind: 'pack', pack }),
});
const chunker = new Chunker(gearTable(setup.seed), pack);
const asked: ((wanted: Uint8Array) => void)[] = [];
const pieces: Uint8Array[] = [];
let onPiece: (() => void) | undefined;
/** Jobs run one after the other; so do the arenas on their way into packs. */
let jobs: Promise<void> = Promise.resolve();
let packed: Promise<void> = Promise.resolve();

port.on('message', (message: ToWorker) => {
  if (message.kind === 'wanted') asked.shift()!(message.wanted);
  else if (message.kind === 'piece') {
    pieces.push(message.bytes);
    onPiece?.();
  } else jobs = jobs.then(() => run(message)).catch(fail);
});

async function run(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'files': {
      const files: StoredFile[] = [];
      for (const file of unpackFiles(message.files)) files.push(await readFile(file, chunker));
      chunker.flush();
      return send({ kind: 'stored', job: message.job, files: packResults(files) });
    }
    case 'stream': {
      const stored = await chunker.addLarge(readPieces());
      chunker.flush();
      return send({ kind: 'streamed', job: message.job, ...stored });
    }
    case 'finish':
      await packed;
      await writer.finish();
      return send({ kind: 'finished', job: message.job });
  }
}

/** Asks which of the arena's chunks are new, and packs those. */
function pack(arena: Arena, release: () => void): void {
  if (arena.chunks.length === 0) {
    release();
    return;
  }
  const answer = new Promise<Uint8Array>((resolve) => asked.push(resolve));
  const sizes = arena.chunks.map(({ from, to }) => to - from);
  send({ kind: 'ask', digests: arena.digests(), sizes });
  packed = packed.then(async () => {
    const wanted = await answer;
    for (const [i, { from, to, hex }] of arena.chunks.entries()) {
      if (wanted[i] === 1) await writer.add(hex, arena.bytes.subarray(from, to));
    }
    release();
  });
  packed.catch(fail);
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

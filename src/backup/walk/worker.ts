import { parentPort, workerData } from 'node:worker_threads';
import {
  encodeStat,
  gateStop,
  gateTaken,
  longsPerFile,
  numbersPerFile,
  type WalkBatch,
  type WalkJob,
} from './thread-messages.ts';
import { walkAll } from './walk.ts';

/** A thread that walks, some batches ahead of whoever takes them. Directories are closed by them, for they read files there. */
const batchFiles = 1024;
/** Directories of batches on their way are open. */
const batchDirectories = 128;
const batchesAhead = 3;

const { roots, options, gate } = workerData as WalkJob;
let sent = 0;
let batch = emptyBatch();

const seen = walkAll(roots, {
  ...options,
  onProblem: (problem) => batch.problems.push(problem),
  closeDirectory: (descriptor) => batch.left.push({ after: batch.count, descriptor }),
});
for (const { path, name, parent, stat } of seen) {
  encodeStat(stat, parent.descriptor, batch, batch.count++);
  batch.names += `${path}\0${name}\0`;
  if (batch.count < batchFiles && batch.left.length < batchDirectories) continue;
  if (!send(false)) break;
}
send(true);

/** Waits while enough are on their way. @returns whether to go on */
function send(isLast: boolean): boolean {
  for (
    let taken = load(gateTaken);
    sent - taken >= batchesAhead && load(gateStop) === 0;
    taken = load(gateTaken)
  ) {
    Atomics.wait(gate, gateTaken, taken);
  }
  const full = { ...batch, isLast };
  parentPort!.postMessage(full, [full.numbers.buffer, full.longs.buffer]);
  sent++;
  batch = emptyBatch();
  return load(gateStop) === 0;
}

function load(index: number): number {
  return Atomics.load(gate, index);
}

function emptyBatch(): WalkBatch {
  return {
    count: 0,
    names: '',
    numbers: new Float64Array(batchFiles * numbersPerFile),
    longs: new BigInt64Array(batchFiles * longsPerFile),
    left: [],
    problems: [],
    isLast: false,
  };
}

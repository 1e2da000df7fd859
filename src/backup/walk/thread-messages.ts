import type { FileType, Stat } from '../../support/posix/stat.ts';
import type { WalkOptions, WalkProblem, WalkRoot } from './walk.ts';

/** What the thread is started with. */
export interface WalkJob {
  roots: readonly WalkRoot[];
  options: Omit<WalkOptions, 'onProblem' | 'closeDirectory'>;
  /** How many batches were taken, and whether to stop: both are written by who takes them. */
  gate: Int32Array;
}

export const gateTaken = 0;
export const gateStop = 1;

/** A stretch of a walk, as it crosses to the main thread: flat, for objects cross slowly. */
export interface WalkBatch {
  count: number;
  /** Paths and names, each followed by NUL. */
  names: string;
  numbers: Float64Array<ArrayBuffer>;
  longs: BigInt64Array<ArrayBuffer>;
  /** Directories that the walk is done with after so many files. Whoever takes the batch closes them. */
  left: { after: number; descriptor: number }[];
  problems: WalkProblem[];
  /** No batch follows. */
  isLast: boolean;
}

export const fileTypes: readonly FileType[] = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'character',
  'block',
];

export const numbersPerFile = 11;
export const longsPerFile = 3;

export function encodeStat(stat: Stat, parent: number, batch: WalkBatch, index: number): void {
  const { mode, uid, gid, size, blocks, links, device, major, minor } = stat;
  const type = fileTypes.indexOf(stat.type);
  batch.numbers.set(
    [type, mode, uid, gid, size, blocks, links, device, major, minor, parent],
    index * numbersPerFile,
  );
  const at = index * longsPerFile;
  batch.longs[at] = BigInt.asIntN(64, stat.inode);
  batch.longs[at + 1] = stat.mtime;
  batch.longs[at + 2] = stat.ctime;
}

export function decodeStat({ numbers, longs }: WalkBatch, index: number): Stat {
  const at = index * numbersPerFile;
  const long = index * longsPerFile;
  return {
    type: fileTypes[numbers[at]!]!,
    mode: numbers[at + 1]!,
    uid: numbers[at + 2]!,
    gid: numbers[at + 3]!,
    size: numbers[at + 4]!,
    blocks: numbers[at + 5]!,
    links: numbers[at + 6]!,
    device: numbers[at + 7]!,
    major: numbers[at + 8]!,
    minor: numbers[at + 9]!,
    inode: BigInt.asUintN(64, longs[long]!),
    mtime: longs[long + 1]!,
    ctime: longs[long + 2]!,
  };
}

/** Descriptor of the directory that a file is in. */
export function parentOf({ numbers }: WalkBatch, index: number): number {
  return numbers[index * numbersPerFile + 10]!;
}

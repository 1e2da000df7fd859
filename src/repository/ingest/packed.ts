import type { FileToStore, StoredFile } from '../run/run.ts';

/**
 * Files to read as they cross to a worker, and what came of them as it crosses back: flat, for objects cross slowly.
 */

export interface PackedFiles {
  /** Separated by NUL. */
  names: string;
  /** Directory, device, inode, size and blocks of each. */
  numbers: Float64Array<ArrayBuffer>;
  /** Its ctime. */
  ctimes: BigInt64Array<ArrayBuffer>;
}

export interface PackedResults {
  /** Size and how many chunks of each. */
  numbers: Float64Array<ArrayBuffer>;
  /** Digests of all chunks in order, 64 hex digits each. */
  chunks: string;
  /** What few files have, by their position. */
  rare: Map<number, Partial<Stored> | { error: string }>;
}

type Stored = Exclude<StoredFile, { error: string }>;

/** For the worker. A job has at least one file. */
export function packFiles(files: readonly FileToStore[]): PackedFiles {
  const numbers = new Float64Array(files.length * 5);
  const ctimes = new BigInt64Array(files.length);
  for (const [i, { directory, device, inode, size, blocks, ctime }] of files.entries()) {
    numbers[i * 5] = directory;
    numbers[i * 5 + 1] = device;
    numbers[i * 5 + 2] = inode;
    numbers[i * 5 + 3] = size;
    numbers[i * 5 + 4] = blocks;
    ctimes[i] = ctime;
  }
  return { names: files.map(({ name }) => name).join('\0'), numbers, ctimes };
}

/** What `packFiles` packed. A ctime after the year 2262 is another then: the file is looked at once more. */
export function unpackFiles({ names, numbers, ctimes }: PackedFiles): FileToStore[] {
  return names.split('\0').map((name, i) => ({
    name,
    directory: numbers[i * 5]!,
    device: numbers[i * 5 + 1]!,
    inode: numbers[i * 5 + 2]!,
    size: numbers[i * 5 + 3]!,
    blocks: numbers[i * 5 + 4]!,
    ctime: ctimes[i]!,
  }));
}

/** For the way back, in the order of the files. */
export function packResults(files: readonly StoredFile[]): PackedResults {
  const numbers = new Float64Array(files.length * 2);
  const rare: PackedResults['rare'] = new Map();
  const digests: string[] = [];
  for (const [i, file] of files.entries()) {
    if ('error' in file) {
      rare.set(i, file);
      continue;
    }
    numbers[i * 2] = file.size;
    numbers[i * 2 + 1] = file.chunks.length;
    for (const chunk of file.chunks) digests.push(chunk);
    if (file.asRead || file.holes || file.xattrs || file.flag) {
      const { chunks: _, size: __, ...more } = file;
      rare.set(i, more);
    }
  }
  return { numbers, chunks: digests.join(''), rare };
}

/** What `packResults` packed. */
export function unpackResults({ numbers, chunks, rare }: PackedResults): StoredFile[] {
  const files: StoredFile[] = [];
  let at = 0;
  for (let i = 0; i * 2 < numbers.length; i++) {
    const more = rare.get(i);
    if (more !== undefined && 'error' in more) {
      files.push(more);
      continue;
    }
    const from = at;
    at += numbers[i * 2 + 1]! * digestLength;
    const file: Stored = { chunks: splitDigests(chunks.slice(from, at)), size: numbers[i * 2]! };
    files.push(more === undefined ? file : { ...file, ...more });
  }
  return files;
}

function splitDigests(joined: string): string[] {
  const digests: string[] = [];
  for (let at = 0; at < joined.length; at += digestLength) digests.push(joined.slice(at, at + digestLength));
  return digests;
}

const digestLength = 64;

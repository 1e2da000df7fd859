import type { FileToStore, StoredFile } from '../run/run.ts';

/** Files to read as they cross to a worker, and what came of them as it crosses back: flat, for objects cross slowly. */

export interface PackedFiles {
  /** Separated by NUL. */
  names: string;
  /** Directory, device, inode and size of each. */
  numbers: Float64Array<ArrayBuffer>;
}

export interface PackedResults {
  /** Size, inode and how many chunks of each. */
  numbers: Float64Array<ArrayBuffer>;
  /** Its mtime and ctime. */
  times: BigInt64Array<ArrayBuffer>;
  /** Digests of all chunks in order, 64 hex digits each. */
  chunks: string;
  /** What few files have, by their position. */
  rare: Map<number, Partial<Stored> | { error: string }>;
}

type Stored = Exclude<StoredFile, { error: string }>;

/** For the worker. A job has at least one file. */
export function packFiles(files: readonly FileToStore[]): PackedFiles {
  const numbers = new Float64Array(files.length * 4);
  for (const [i, { directory, device, inode, size }] of files.entries()) {
    numbers[i * 4] = directory;
    numbers[i * 4 + 1] = device;
    numbers[i * 4 + 2] = inode;
    numbers[i * 4 + 3] = size;
  }
  return { names: files.map(({ name }) => name).join('\0'), numbers };
}

/** What `packFiles` packed. */
export function unpackFiles({ names, numbers }: PackedFiles): FileToStore[] {
  return names.split('\0').map((name, i) => ({
    name,
    directory: numbers[i * 4]!,
    device: numbers[i * 4 + 1]!,
    inode: numbers[i * 4 + 2]!,
    size: numbers[i * 4 + 3]!,
  }));
}

/** For the way back, in the order of the files. */
export function packResults(files: readonly StoredFile[]): PackedResults {
  const numbers = new Float64Array(files.length * 3);
  const times = new BigInt64Array(files.length * 2);
  const rare: PackedResults['rare'] = new Map();
  const digests: string[] = [];
  for (const [i, file] of files.entries()) {
    if ('error' in file) {
      rare.set(i, file);
      continue;
    }
    const { chunks, size, inode, mtime, ctime, holes, xattrs, flag } = file;
    numbers[i * 3] = size;
    numbers[i * 3 + 1] = inode;
    numbers[i * 3 + 2] = chunks.length;
    times[i * 2] = mtime;
    times[i * 2 + 1] = ctime;
    for (const chunk of chunks) digests.push(chunk);
    const isFar = BigInt.asIntN(64, mtime) !== mtime; // From the year 2262 on nanoseconds do not fit.
    const hasMore = isFar || holes !== undefined || xattrs !== undefined || flag !== undefined;
    const more = { ...(holes && { holes }), ...(xattrs && { xattrs }), ...(flag && { flag }) };
    if (hasMore) rare.set(i, { ...more, ...(isFar && { mtime }) });
  }
  return { numbers, times, chunks: digests.join(''), rare };
}

/** What `packResults` packed. */
export function unpackResults({ numbers, times, chunks, rare }: PackedResults): StoredFile[] {
  const files: StoredFile[] = [];
  let at = 0;
  for (let i = 0; i * 3 < numbers.length; i++) {
    const more = rare.get(i);
    if (more !== undefined && 'error' in more) {
      files.push(more);
      continue;
    }
    const from = at;
    at += numbers[i * 3 + 2]! * digestLength;
    const file: Stored = {
      chunks: splitDigests(chunks.slice(from, at)),
      size: numbers[i * 3]!,
      inode: numbers[i * 3 + 1]!,
      mtime: times[i * 2]!,
      ctime: times[i * 2 + 1]!,
    };
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

import { readSync } from 'node:fs';
import { codeOf } from '../../support/errors.ts';
import { holesOf } from '../../support/posix/holes.ts';
import { closeFile } from '../../support/posix/open.ts';
import { isStill, type Stat, statFile } from '../../support/posix/stat.ts';
import { readXattrs } from '../../support/posix/xattrs.ts';
import { chunkLimits } from '../chunks/gear.ts';
import { type FileToStore, replaced, type StoredFile } from '../run/run.ts';
import type { Chunker, Read } from './chunker.ts';
import type { OpenFile } from './open-ahead.ts';

/** What takes content in. */
type Content = Pick<Chunker, 'addAtOnce' | 'addSmall' | 'addLarge'>;

/** A file that changes while it is read is read so many times before the last reading is taken. */
const attempts = 3;

/**
 * Reads one file into chunks, watches whether it changes meanwhile, and closes it. For most there is nothing to wait
 * for.
 */
export function readFile({ file, handle }: OpenFile, chunker: Content): StoredFile | Promise<StoredFile> {
  let stored: StoredFile | undefined;
  try {
    stored = readStillFile(handle, file, chunker);
  } catch {
    // Whatever it was, it is met again below.
  }
  if (stored === undefined) return readAnyFile(handle, file, chunker);
  closeFile(handle);
  return stored;
}

/** A small file that still is what the walk saw when it was read. `undefined`: it may be another, or take longer. */
function readStillFile(handle: number, file: FileToStore, chunker: Content): StoredFile | undefined {
  const { size, blocks } = file;
  if (size > chunkLimits.minimum || blocks * 512 < size) return undefined;
  let xattrs: Record<string, Uint8Array> | undefined;
  const chunks = chunker.addAtOnce(size, (memory, at) => {
    if (size > 0 && readSync(handle, memory, at, size, 0) < size) return false;
    xattrs = readXattrs(handle);
    return isStill(handle, file);
  });
  if (chunks === undefined) return undefined;
  return xattrs === undefined ? { chunks, size } : { chunks, size, xattrs };
}

async function readAnyFile(handle: number, file: FileToStore, chunker: Content): Promise<StoredFile> {
  try {
    return await readOpenFile(handle, file, chunker);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { error: code };
  } finally {
    closeFile(handle);
  }
}

/** One of 8 PiB or more, which can only be a hole, is not read: no tree can tell its size exactly. */
async function readOpenFile(handle: number, file: FileToStore, chunker: Content): Promise<StoredFile> {
  for (let attempt = 1; ; attempt++) {
    const before = statFile(handle);
    if (before.type !== 'file' || Number(before.inode) !== file.inode || before.device !== file.device) {
      return { error: replaced };
    }
    if (!Number.isSafeInteger(before.size)) return { error: 'EFBIG' };
    const holes = before.blocks * 512 < before.size ? holesOf(handle, before.size) : [];
    const xattrs = readXattrs(handle);
    const read = readBetween(handle, before.size, holes);
    const done: { flag?: 'changed' | 'grew' } = {};
    const judge = (length: number): boolean => {
      const flag = whatHappened(handle, before, length, holes);
      if (flag === 'changed' && attempt < attempts) return false;
      if (flag !== undefined) done.flag = flag;
      return true;
    };
    const chunks = await readChunks(chunker, before.size, read, judge);
    if (chunks === undefined) continue;
    const { mtime, ctime } = before;
    const asRead = { mtime, ctime, inode: file.inode };
    const laid = layOut(chunks.size, holes);
    const more = { ...(laid.holes.length > 0 && { holes: laid.holes }), ...(xattrs && { xattrs }), ...done };
    return { ...chunks, size: laid.size, asRead, ...more };
  }
}

async function readChunks(
  chunker: Content,
  size: number,
  read: Read,
  judge: (length: number) => boolean,
): Promise<{ chunks: string[]; size: number } | undefined> {
  if (size <= chunkLimits.minimum) {
    let length = 0;
    const chunks = await chunker.addSmall(size, read, (got) => {
      length = got;
      return judge(got);
    });
    return chunks && { chunks, size: length };
  }
  const stored = await chunker.addLarge(read);
  return judge(stored.size) ? stored : undefined;
}

/** Reads the first `size` bytes of a file without its holes. */
function readBetween(handle: number, size: number, holes: readonly [number, number][]): Read {
  let next = 0; // A file may have a million: not one of them is shifted away.
  let at = 0;
  return (buffer, offset) => {
    for (; holes[next]?.[0] === at; next++) at += holes[next]![1];
    const end = holes[next]?.[0] ?? size;
    const length = Math.min(end - at, buffer.length - offset);
    const got = length <= 0 ? 0 : readSync(handle, buffer, offset, length, at);
    at += got;
    return got;
  };
}

/** Compares the file with what it was before it was read: `length` bytes came. */
function whatHappened(
  handle: number,
  before: Stat,
  length: number,
  holes: readonly [number, number][],
): 'changed' | 'grew' | undefined {
  const after = statFile(handle);
  const whole = length + totalLength(holes) === before.size;
  if (whole && after.ctime === before.ctime && after.size === before.size) return undefined;
  return whole && after.size > before.size ? 'grew' : 'changed';
}

/**
 * How far so many bytes of content reach between the holes, and which of these come before: a file that was cut
 * meanwhile has no others.
 */
function layOut(
  length: number,
  holes: readonly [number, number][],
): { size: number; holes: [number, number][] } {
  const before: [number, number][] = [];
  let end = length;
  for (const [offset, hole] of holes) {
    if (offset > end) break;
    before.push([offset, hole]);
    end += hole;
  }
  return { size: end, holes: before };
}

function totalLength(holes: readonly [number, number][]): number {
  return holes.reduce((sum, [, length]) => sum + length, 0);
}

import { ftruncateSync, readSync, write as writeCallback, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Entry } from '../../repository/entry.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { TreeWriterOptions } from './tree-writer.ts';

const write = promisify(writeCallback);

/** Pieces that are worth a turn of the thread pool; smaller ones are written at once. */
const largePiece = 256 * 1024;

/**
 * Writes the bytes of a regular file into an open, empty one, leaving its holes, and reads each piece back.
 * @throws {DamagedError} when there are fewer or more bytes than its entry says
 */
export async function writeContent(
  file: number,
  entry: Entry,
  { content, onBytes, pathOf }: Pick<TreeWriterOptions, 'content' | 'onBytes' | 'pathOf'>,
): Promise<void> {
  const path = toText(pathOf(entry));
  const extents = extentsOf(entry);
  let index = 0;
  let done = 0;
  for await (let piece of content(entry)) {
    onBytes(piece.length);
    while (piece.length > 0) {
      const extent = extents[index];
      if (extent === undefined) throw wrongLength(path, entry, 'more');
      const part = piece.subarray(0, extent.length - done);
      await writeAll(file, part, extent.offset + done);
      if (!readsBack(file, part, extent.offset + done)) throw differs(path);
      piece = piece.subarray(part.length);
      done += part.length;
      if (done === extent.length) [index, done] = [index + 1, 0];
    }
  }
  if (index < extents.length) throw wrongLength(path, entry, 'fewer');
  if (entry.holes?.length) ftruncateSync(file, entry.size ?? 0);
}

interface Extent {
  offset: number;
  length: number;
}

/** Where there is data: what the holes leave. */
function extentsOf({ size = 0, holes = [] }: Entry): Extent[] {
  const extents: Extent[] = [];
  let offset = 0;
  for (const [hole, length] of [...holes, [size, 0] as const]) {
    if (hole > offset) extents.push({ offset, length: hole - offset });
    offset = hole + length;
  }
  return extents;
}

async function writeAll(file: number, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const rest = piece.subarray(done);
    done +=
      rest.length < largePiece
        ? writeSync(file, rest, 0, rest.length, position + done)
        : (await write(file, rest, 0, rest.length, position + done)).bytesWritten;
  }
}

const scratch = Buffer.allocUnsafe(largePiece);

function readsBack(file: number, piece: Uint8Array, position: number): boolean {
  for (let done = 0; done < piece.length; ) {
    const count = readSync(file, scratch, 0, Math.min(scratch.length, piece.length - done), position + done);
    if (count === 0 || scratch.compare(piece, done, done + count, 0, count) !== 0) return false;
    done += count;
  }
  return true;
}

function differs(path: string): FailedError {
  return new FailedError(`restoring ${path}: its content reads back differently`, { facts: { path } });
}

function wrongLength(path: string, { size }: Entry, which: 'more' | 'fewer'): DamagedError {
  return new DamagedError(`restoring ${path}: the snapshot holds ${which} bytes of it than its size says`, {
    facts: { path, size },
  });
}

import { lastError, libc } from './libc.ts';

const seekData = 3;
const seekHole = 4;

/**
 * The holes of an open file of `size` bytes: [offset, length], sorted. Moves the descriptor's position. A file system
 * that knows no holes has none.
 */
export function holesOf(file: number, size: number): [number, number][] {
  const holes: [number, number][] = [];
  let at = 0;
  while (at < size) {
    const hole = seek(file, at, seekHole) ?? at;
    if (hole >= size) break;
    const data = Math.min(seek(file, hole, seekData) ?? size, size);
    holes.push([hole, data - hole]);
    at = data;
  }
  return holes;
}

/** Where the next hole or data begins, from `offset` on; `undefined` at or past the end, and when only a hole is left. */
function seek(file: number, offset: number, whence: number): number | undefined {
  const found = libc().lseek(file, offset, whence);
  if (found >= 0) return Number(found);
  const error = lastError('lseek');
  if (error.code === 'ENXIO') return undefined;
  throw error;
}

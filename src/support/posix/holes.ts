import { lastError, libc } from './libc.ts';

const seekData = 3;
const seekHole = 4;

/**
 * The holes of an open file of `size` bytes: [offset, length], sorted. Moves the descriptor's position. A file system
 * that knows no holes has none.
 */
export function holesOf(file: number, size: number): [number, number][] {
  return findHoles((offset, whence) => seek(file, offset, whence === 'hole' ? seekHole : seekData), size);
}

/**
 * The same of whatever answers where the next hole or data begins, from an offset on (`undefined`: nowhere before the
 * end). One that somebody fills between two answers is none, and two that became one are.
 */
export function findHoles(
  next: (offset: number, what: 'hole' | 'data') => number | undefined,
  size: number,
): [number, number][] {
  const holes: [number, number][] = [];
  let at = 0;
  while (at < size) {
    const hole = next(at, 'hole') ?? at;
    if (hole >= size) break;
    const data = Math.min(next(hole, 'data') ?? size, size);
    const last = holes.at(-1);
    if (last !== undefined && last[0] + last[1] === hole) last[1] += data - hole;
    else if (data > hole) holes.push([hole, data - hole]);
    at = data;
  }
  return holes;
}

/**
 * Where the next hole or data begins, from `offset` on; `undefined` at or past the end, and when only a hole is left.
 */
function seek(file: number, offset: number, whence: number): number | undefined {
  const found = libc().lseek(file, offset, whence);
  if (found >= 0) return Number(found);
  const error = lastError('lseek');
  if (error.code === 'ENXIO') return undefined;
  throw error;
}

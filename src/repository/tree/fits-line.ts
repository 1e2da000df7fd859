import type { Entry } from '../entry.ts';
import { metadataLimit } from '../snapshot/media-types.ts';
import { segmentLimit } from './cut.ts';
import { longestWithoutLists } from './long-line.ts';

/** In bytes, in a segment that other lines have filled up to its limit. */
const longest = metadataLimit - segmentLimit;

/** Whether the line of a file would be read back: of a longer one nothing would, nor of what is beside it. */
export function fitsLine({ path, hardlink, target, chunks, holes, xattrs }: Readonly<Entry>): boolean {
  const names = (path.length + (hardlink?.length ?? 0) + (target?.length ?? 0)) * escapedByte;
  const rest = plainFields + names + (xattrs === undefined ? 0 : sizeOfXattrs(xattrs));
  const lists = (chunks?.length ?? 0) * chunkItem + (holes?.length ?? 0) * longestHole;
  return rest <= longestWithoutLists && rest + lists <= longest;
}

/** In bytes at most: a byte of a name in JSON, `"<64 hex digits>",`, `[offset,length],`, and what every line has. */
const escapedByte = 6;
const chunkItem = 67;
const longestHole = 36;
const plainFields = 512;

function sizeOfXattrs(xattrs: NonNullable<Entry['xattrs']>): number {
  let size = 0;
  for (const [name, value] of Object.entries(xattrs))
    size += name.length * escapedByte + Math.ceil(value.length / 3) * 4 + plainFields;
  return size;
}

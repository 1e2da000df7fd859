import type { Entry } from '../entry.ts';
import { segmentLimit } from './cut.ts';
import { decodeLine, refuseLine } from './line.ts';

/** In bytes. Only a file of terabytes, or with very many holes, has a longer line: for its lists. */
export const longestWithoutLists = segmentLimit;

/**
 * The line of a segment that begins at `from` and ends before `to`. The lists of a long one are read item by item, and
 * nothing else in a line is long: so no line fills the memory that none of us wrote.
 * @throws {DamagedError} naming `where`
 */
export function decodeLineAt(text: Buffer, from: number, to: number, where: string): Entry {
  const line = text.subarray(from, to);
  if (line.length <= longestWithoutLists) return decodeLine(line.toString('utf8'), where);
  const chunks = takeItems(line, ',"chunks":[', 0, chunkAt);
  const holes = takeItems(line, ',"holes":[', chunks.to, holeAt);
  const rest = [line.subarray(0, chunks.from), line.subarray(chunks.to, holes.from), line.subarray(holes.to)];
  const length = rest.reduce((sum, piece) => sum + piece.length, 0);
  if (length > longestWithoutLists)
    refuseLine(
      line.toString('latin1', 0, 120),
      where,
      `has ${line.length} bytes, more than its file can need`,
    );
  const lists = { chunks: chunks.items, holes: holes.items };
  return decodeLine(Buffer.concat(rest).toString('utf8'), where, lists);
}

/** What was taken out of a list, and between which bytes it stood. */
interface Taken<T> {
  items: T[];
  from: number;
  to: number;
}

/** An item, and how many bytes it takes with the comma behind it. */
interface Item<T> {
  item: T;
  bytes: number;
}

/** The items of the list that `opening` opens, but for the last and whatever is behind one that is none. */
function takeItems<T>(
  line: Buffer,
  opening: string,
  behind: number,
  itemAt: (line: Buffer, at: number) => Item<T> | undefined,
): Taken<T> {
  const opened = line.indexOf(opening, behind);
  const from = opened < 0 ? line.length : opened + opening.length;
  const taken: Taken<T> = { items: [], from, to: from };
  for (let next = itemAt(line, from); next !== undefined; next = itemAt(line, taken.to)) {
    taken.items.push(next.item);
    taken.to += next.bytes;
  }
  return taken;
}

function chunkAt(line: Buffer, at: number): Item<string> | undefined {
  const found = /^"([0-9a-f]{64})",$/.exec(line.toString('latin1', at, at + 67));
  return found === null ? undefined : { item: found[1]!, bytes: 67 };
}

function holeAt(line: Buffer, at: number): Item<[number, number]> | undefined {
  const found = /^\[(\d{1,16}),(\d{1,16})\],/.exec(line.toString('latin1', at, at + 36));
  return found === null ? undefined : { item: [Number(found[1]), Number(found[2])], bytes: found[0].length };
}

import type { PlainStat } from '../repository.ts';
import { encodeMode, encodeTime } from './line.ts';

/**
 * Whether a line goes on, after its path, letter for letter as `encodeLine` has it of a file with this stat. What the stat does not
 * tell, and the ctime vouches for, must have its right form. Takes a tenth of the time of decoding the line.
 *
 * @param from behind the last byte of its path
 * @param to behind its last byte
 */
export function isLineOf(text: Buffer, from: number, to: number, stat: PlainStat): boolean {
  const beginning = match(text, from, ...describe(stat));
  const content = stat.type === 'file' ? matchChunks(text, beginning) : beginning;
  const end = `,"inode":${stat.inode},"ctime":"${encodeTime(stat.ctime)}"}`;
  const rest = to - end.length;
  if (content < 0 || content > rest || match(text, rest, end) < 0) return false;
  if (content === rest) return stat.type !== 'symlink';
  return rest - content < longestRest && rests.test(text.toString('latin1', content, rest));
}

function describe({ type, mode, uid, gid, mtime, size }: PlainStat): string[] {
  const owner = ['","uid":', String(uid), ',"gid":', String(gid)];
  const times = [',"mtime":"', encodeTime(mtime), '"'];
  const length = type === 'file' ? [',"size":', String(size)] : [];
  return ['","type":"', type, '","mode":"', encodeMode(mode), ...owner, ...times, ...length];
}

/** Where it goes on behind these pieces; -1 when they do not stand there. */
function match(text: Buffer, from: number, ...pieces: readonly string[]): number {
  let at = from;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++, at++) if (text[at] !== piece.charCodeAt(i)) return -1;
  }
  return at;
}

/** Where it goes on behind a list of chunks; -1 when none stands there. */
function matchChunks(text: Buffer, from: number): number {
  let at = match(text, from, ',"chunks":[');
  if (text[at] === closing) return at + 1;
  for (let isMore = at > 0; isMore; at++) {
    at = match(text, matchDigest(text, match(text, at, '"')), '"');
    isMore = text[at] === comma;
  }
  return text[at - 1] === closing ? at : -1;
}

const closing = 0x5d;
const comma = 0x2c;

function matchDigest(text: Buffer, from: number): number {
  for (let at = from; at < from + 64; at++) {
    const byte = text[at]!;
    const isHex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
    if (!isHex) return -1;
  }
  return from < 0 ? -1 : from + 64;
}

/** A link's target and attributes. Whatever is longer is decoded. */
const rests =
  /^(?:,"target":"[ !#-[\]-~]+")?(?:,"xattrs":\[(?:\{"name":"[\w-]+\.[\w.-]+","value64":"[\w+/]*={0,2}"\}(?:,(?=\{)|(?=\])))+\])?$/;
const longestRest = 4096;

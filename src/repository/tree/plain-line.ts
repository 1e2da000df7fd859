import type { PlainStat } from '../run/run.ts';
import { encodeMode, encodeTime } from './line.ts';

/**
 * Whether a line goes on, after its path, letter for letter as `encodeLine` has it of a file with this stat. What the
 * stat does not tell, and the ctime vouches for, must have its right form. Takes a tenth of the time of decoding the
 * line.
 *
 * @param from behind the last byte of its path
 * @param to behind its last byte
 */
export function isLineOf(text: Buffer, from: number, to: number, stat: PlainStat): boolean {
  const beginning = matchMetadata(text, from, stat);
  const content = stat.type === 'file' ? matchChunks(text, beginning) : beginning;
  const end = `,"inode":${stat.inode},"ctime":"${encodeTime(stat.ctime)}"}`;
  const rest = to - end.length;
  if (content < 0 || content > rest || match(text, rest, end) < 0) return false;
  if (content === rest) return stat.type !== 'symlink';
  return rest - content < longestRest && rests.test(text.toString('latin1', content, rest));
}

function matchMetadata(text: Buffer, from: number, stat: PlainStat): number {
  let at = match(text, match(text, from, '","type":"'), stat.type);
  at = match(text, match(text, at, '","mode":"'), encodeMode(stat.mode));
  at = match(text, match(text, at, '","uid":'), String(stat.uid));
  at = match(text, match(text, at, ',"gid":'), String(stat.gid));
  at = match(text, match(text, at, ',"mtime":"'), encodeTime(stat.mtime));
  at = match(text, at, '"');
  return stat.type === 'file' ? match(text, match(text, at, ',"size":'), String(stat.size)) : at;
}

/** Where it goes on behind this piece; -1 when it does not stand there, or `from` is -1 already. */
function match(text: Buffer, from: number, piece: string): number {
  if (from < 0) return -1;
  for (let i = 0; i < piece.length; i++) if (text[from + i] !== piece.charCodeAt(i)) return -1;
  return from + piece.length;
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
  if (from < 0) return -1;
  for (let at = from; at < from + 64; at++) if (isHexDigit[text[at]!] !== 1) return -1;
  return from + 64;
}

const isHexDigit = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(/[0-9a-f]/.test(String.fromCharCode(byte))),
);

/** A link's target and attributes. Whatever is longer is decoded. */
const rests =
  /^(?:,"target":"[ !#-[\]-~]+")?(?:,"xattrs":\[(?:\{"name":"[\w-]+\.[\w.-]+","value64":"[\w+/]*={0,2}"\}(?:,(?=\{)|(?=\])))+\])?$/;
const longestRest = 4096;

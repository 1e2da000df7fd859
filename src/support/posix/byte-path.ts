import { constants } from 'node:os';
import { posixError } from './libc.ts';

/**
 * Linux names are bytes, not text. Here a path is a string of **one character per byte** (latin1), so that every
 * name is exact; these functions take it across to node and to the C library.
 */

/** For node's `fs` functions, which would encode a string as UTF-8. */
export function toFsPath(path: string): Buffer {
  return Buffer.from(checked(path), 'latin1');
}

/** From an ordinary string, such as a path of the deployment file. */
export function fromText(path: string): string {
  return Buffer.from(path).toString('latin1');
}

/** For people; each byte that is not UTF-8 as `\xff`, in hex. */
export function toText(path: string): string {
  const text = Buffer.from(path, 'latin1').toString();
  return text.includes(replaced) ? textOfParts(path) : text;
}

const replaced = '\ufffd';

function textOfParts(path: string): string {
  let text = '';
  for (let at = 0; at < path.length; ) {
    const length = [1, 2, 3, 4].find((one) => isText(path.slice(at, at + one)));
    const part = path.slice(at, at + (length ?? 1));
    text += length === undefined ? escapeByte(part) : Buffer.from(part, 'latin1').toString();
    at += part.length;
  }
  return text;
}

/** Whether it is one character of UTF-8. */
function isText(bytes: string): boolean {
  return fromText(Buffer.from(bytes, 'latin1').toString()) === bytes;
}

function escapeByte(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The other way round: what `toText`, or a terminal's table, writes as `\xff` is that byte again. */
export function fromEscapedText(text: string): string {
  return fromText(text).replaceAll(/\\x([0-9a-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/**
 * `name` in an open directory, as a path any function takes. It goes by the handle, so nobody can swap a link into
 * the directories above it; the last component is still followed if it is a link.
 */
export function pathAt(directory: number, name: string): string {
  return directory < 0 ? name : `/proc/self/fd/${directory}/${name}`;
}

const longest = 4096;
const first = Buffer.alloc(longest);
const second = Buffer.alloc(longest);

/** NUL-terminated, in a buffer that the next call reuses. */
export function cString(path: string): Buffer {
  return write(path, first);
}

/** The same in another buffer, for calls that take two strings. */
export function secondCString(path: string): Buffer {
  return write(path, second);
}

function write(path: string, buffer: Buffer): Buffer {
  if (path.length >= longest) throw posixError(-constants.errno.ENAMETOOLONG, 'path', path.slice(0, 255));
  buffer[buffer.write(checked(path), 'latin1')] = 0;
  return buffer;
}

/** A NUL would silently cut the path; a character over 255 is text that nobody converted. */
function checked(path: string): string {
  if (/[^\x01-\xff]/.test(path)) throw posixError(-constants.errno.EINVAL, 'path', path);
  return path;
}

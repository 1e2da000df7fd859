import { DamagedError } from '../../support/errors.ts';
import type { Entry, EntryType } from '../entry.ts';
import { decodeName, encodeName } from './bytes-text.ts';

/** One file as one line of a tree, without its newline. The keys are told in `docs/backup-format.md`. */
export function encodeLine(entry: Readonly<Entry>): string {
  let line = `{${encodeName('path', entry.path)},"type":"${entry.type}","mode":"${encodeMode(entry.mode)}"`;
  line += `,"uid":${entry.uid},"gid":${entry.gid},"mtime":"${encodeTime(entry.mtime)}"`;
  if (entry.size !== undefined) line += `,"size":${entry.size}`;
  if (entry.hardlink !== undefined) line += `,${encodeName('hardlink', entry.hardlink)}`;
  if (entry.chunks !== undefined) line += `,"chunks":${encodeChunks(entry.chunks)}`;
  if (entry.target !== undefined) line += `,${encodeName('target', entry.target)}`;
  if (entry.device !== undefined) line += `,"device":[${entry.device.major},${entry.device.minor}]`;
  if (entry.holes !== undefined) line += `,"holes":${JSON.stringify(entry.holes)}`;
  if (entry.xattrs !== undefined) line += `,"xattrs":[${encodeXattrs(entry.xattrs)}]`;
  if (Number.isSafeInteger(entry.inode)) line += `,"inode":${entry.inode}`;
  if (entry.ctime !== undefined) line += `,"ctime":"${encodeTime(entry.ctime)}"`;
  if (entry.flag !== undefined) line += `,"flag":"${entry.flag}"`;
  return `${line}}`;
}

/** Four octal digits. */
export function encodeMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** `seconds.nanoseconds`, negative before 1970: the form `touch -d @…` takes. */
export function encodeTime(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : '';
  const digits = String(sign === '' ? nanoseconds : -nanoseconds).padStart(10, '0');
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function encodeChunks(chunks: readonly string[]): string {
  return chunks.length === 0 ? '[]' : `["${chunks.join('","')}"]`;
}

function encodeXattrs(xattrs: Record<string, Uint8Array>): string {
  return Object.entries(xattrs)
    .map(([name, value]) => {
      return `{${encodeName('name', name)},"value64":"${Buffer.from(value).toString('base64')}"}`;
    })
    .join(',');
}

/** Of a file: what is long in a long line. */
export type Lists = Required<Pick<Entry, 'chunks' | 'holes'>>;

/**
 * Reads a line back. Nothing in it is trusted: a path that could leave its root is damage.
 * @param taken what was taken out of its lists, to stand before what is left there
 * @throws {DamagedError} naming `where`
 */
export function decodeLine(line: string, where: string, taken?: Lists): Entry {
  try {
    const told = JSON.parse(line) as Line;
    return decode(taken === undefined ? told : completed(told, taken));
  } catch (error) {
    const what = error instanceof Malformed ? error.message : 'is not JSON';
    return refuseLine(line, where, what, error);
  }
}

/** @throws {DamagedError} */
export function refuseLine(line: string, where: string, what: string, cause?: unknown): never {
  throw new DamagedError(`reading ${where}: the line ${line.slice(0, 120)} ${what}`, { cause });
}

function completed(line: Line, { chunks, holes }: Lists): Line {
  const all = { chunks: chunks.concat(line.chunks as string[]) };
  return { ...line, ...all, ...(holes.length > 0 && { holes: holes.concat(line.holes as Lists['holes']) }) };
}

class Malformed extends Error {}

type Line = Record<string, unknown>;

function decode(line: Line): Entry {
  const type = line.type as EntryType;
  const entry: Entry = {
    path: safePath(decodeName(line, 'path'), 'path'),
    type: types.has(type) ? type : fail('has no type we know'),
    mode: decodeMode(line.mode),
    uid: count(line.uid, 'uid'),
    gid: count(line.gid, 'gid'),
    mtime: decodeTime(line.mtime),
  };
  if (type !== 'directory') decodeHardlink(line, entry);
  if (type === 'file') decodeFile(line, entry);
  if (type === 'symlink') entry.target = decodeName(line, 'target') ?? fail('has no target');
  if (line.device !== undefined) entry.device = decodeDevice(line.device);
  if (line.xattrs !== undefined) entry.xattrs = decodeXattrs(line.xattrs);
  if (line.inode !== undefined) entry.inode = count(line.inode, 'inode');
  if (line.ctime !== undefined) entry.ctime = decodeTime(line.ctime);
  if (line.flag === 'changed' || line.flag === 'grew') entry.flag = line.flag;
  return entry;
}

const types: ReadonlySet<EntryType> = new Set(['file', 'directory', 'symlink', 'fifo', 'character', 'block']);

/** A file of any kind may have more than one name. */
function decodeHardlink(line: Line, entry: Entry): void {
  const hardlink = decodeName(line, 'hardlink');
  if (hardlink !== undefined) entry.hardlink = safePath(hardlink, 'hardlink');
}

function decodeFile(line: Line, entry: Entry): void {
  if (line.size !== undefined) entry.size = count(line.size, 'size');
  if (entry.hardlink === undefined) entry.chunks = decodeChunks(line.chunks);
  if (line.holes !== undefined) entry.holes = decodeHoles(line.holes, entry.size ?? 0);
}

/** Paths stay below their root: no empty, `.` or `..` component (but `.` alone), no NUL, no leading slash. */
function safePath(path: string | undefined, key: string): string {
  if (path === undefined || path === '' || unsafe.test(path)) fail(`has no ${key} that stays below its root`);
  return path as string;
}

const unsafe = /\0|^\/|\/$|\/\/|(?:^|\/)\.\.(?:\/|$)|\/\.(?:\/|$)|^\.\//;

function decodeMode(mode: unknown): number {
  if (typeof mode !== 'string' || !/^[0-7]{1,5}$/.test(mode)) fail('has no mode');
  return Number.parseInt(mode as string, 8) & 0o7777;
}

function decodeTime(time: unknown): bigint {
  if (typeof time !== 'string' || !/^-?\d{1,19}\.\d{9}$/.test(time))
    return fail('has no time of seconds.nanoseconds');
  const nanoseconds = BigInt(time.replace('.', ''));
  if (time.length > longestPlainTime && !isInRange(nanoseconds)) fail('has a time that no file system keeps');
  return nanoseconds;
}

/** 18 digits, the dot and nine more: far from the limits of `isInRange`. */
const longestPlainTime = 28;

/** Whether the kernel can be told it: it counts seconds with 64 bits, and lets whoever owns a file set them. */
function isInRange(nanoseconds: bigint): boolean {
  const limit = 2n ** 63n * 1_000_000_000n;
  return nanoseconds >= -limit && nanoseconds < limit;
}

function decodeChunks(chunks: unknown): string[] {
  if (!Array.isArray(chunks)) return fail('has no chunks');
  for (const chunk of chunks) {
    if (typeof chunk !== 'string' || !/^[0-9a-f]{64}$/.test(chunk)) fail('names a chunk that is no digest');
  }
  return chunks;
}

function decodeHoles(holes: unknown, size: number): [number, number][] {
  if (!Array.isArray(holes)) return fail('has holes that are no list');
  let end = 0;
  for (const hole of holes) {
    const [offset, length] = Array.isArray(hole) ? hole : [];
    if (count(offset, 'hole') < end || offset + count(length, 'hole') > size) fail('has holes that overlap');
    end = offset + length;
  }
  return holes;
}

function decodeDevice(device: unknown): { major: number; minor: number } {
  const [major, minor] = Array.isArray(device) ? device : [];
  return { major: count(major, 'device'), minor: count(minor, 'device') };
}

function decodeXattrs(xattrs: unknown): Record<string, Uint8Array> {
  if (!Array.isArray(xattrs)) return fail('has xattrs that are no list');
  const decoded: Record<string, Uint8Array> = {};
  for (const xattr of xattrs as Line[]) {
    const name = decodeName(xattr, 'name');
    if (name === undefined || !name.includes('.')) return fail('has an attribute without a name');
    if (typeof xattr.value64 !== 'string') fail('has an attribute without a value');
    decoded[name] = Buffer.from(xattr.value64 as string, 'base64');
  }
  return decoded;
}

function count(value: unknown, key: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) fail(`has no ${key}`);
  return value as number;
}

function fail(what: string): never {
  throw new Malformed(what);
}

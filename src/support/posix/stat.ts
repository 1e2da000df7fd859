import { constants } from 'node:fs';
import { codeOf } from '../errors.ts';
import { cString } from './byte-path.ts';
import { check, libc } from './libc.ts';

/** Everything about one inode, exact to the nanosecond. */
export interface Stat {
  type: FileType;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
  /** Of 512 bytes each, really allocated. */
  blocks: number;
  links: number;
  inode: bigint;
  /** Of the file system it is on, numbered as node does. */
  device: number;
  /** Whether something is mounted here, be it a single file. Kernels before 5.8 do not tell. */
  mounted: boolean;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  ctime: bigint;
  /** Which device a device node is; 0 for everything else. */
  major: number;
  minor: number;
}

export type FileType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character' | 'block';

/** The directory a relative path starts from when none is open. */
export const currentDirectory = -100;

/**
 * `name` in an open directory (`.` is the directory itself), or an absolute path. Never follows a link in the
 * last component, never triggers an automount.
 */
export function statAt(directory: number, name: string): Stat {
  check(libc().statx(directory, cString(name), noFollow | noAutomount, basicStats, result), 'statx', name);
  return decode();
}

/** Of an open file. */
export function statFile(file: number): Stat {
  check(libc().statx(file, cString(''), emptyPath, basicStats, result), 'statx');
  return decode();
}

/** Whether an open regular file is the one of which a stat told this, and nothing of it was changed since. */
export function isStill(file: number, { device, inode, size, ctime }: Known): boolean {
  check(libc().statx(file, cString(''), emptyPath, basicStats, result), 'statx');
  return (
    number64(32) === inode &&
    number64(40) === size &&
    nanoseconds(96) === ctime &&
    deviceNumber(view.getUint32(136, true), view.getUint32(140, true)) === device
  );
}

interface Known {
  device: number;
  inode: number;
  size: number;
  ctime: bigint;
}

/** Whether something, a link included, has this name in an open directory, or is at an absolute path. */
export function existsAt(directory: number, name: string): boolean {
  try {
    statAt(directory, name);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

const noFollow = 0x100;
const noAutomount = 0x800;
const emptyPath = 0x1000;
const basicStats = 0x7ff;

/** `STATX_ATTR_MOUNT_ROOT` of linux/stat.h. */
const mountRoot = 0x2000;

const result = Buffer.alloc(256);
const view = new DataView(result.buffer, result.byteOffset, result.length);

/** `struct statx` of linux/stat.h; the same offsets on every 64-bit architecture, little-endian on all of ours. */
function decode(): Stat {
  const mode = view.getUint16(28, true);
  return {
    type: types.get(mode & constants.S_IFMT) ?? 'socket',
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: number64(40),
    blocks: number64(48),
    links: view.getUint32(16, true),
    inode: view.getBigUint64(32, true),
    device: deviceNumber(view.getUint32(136, true), view.getUint32(140, true)),
    mounted: (view.getUint32(8, true) & mountRoot) !== 0,
    mtime: nanoseconds(112),
    ctime: nanoseconds(96),
    major: view.getUint32(128, true),
    minor: view.getUint32(132, true),
  };
}

const types = new Map<number, FileType>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
  [constants.S_IFCHR, 'character'],
  [constants.S_IFBLK, 'block'],
]);

/** Two names are the same file when this is the same. */
export function identityOf(stat: Stat): string {
  return `${stat.device}:${stat.inode}`;
}

function number64(offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function nanoseconds(offset: number): bigint {
  return view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true));
}

/** `makedev` of sys/sysmacros.h. */
export function deviceNumber(major: number, minor: number): number {
  const low = (((major & 0xfff) << 8) | (minor & 0xff)) >>> 0;
  return (major >>> 12) * 2 ** 44 + (minor >>> 8) * 2 ** 20 + low;
}

/**
 * One file of a snapshot's tree. The walk makes it, the tree stores it as one JSON line, restore makes the file
 * again from it.
 */
export interface Entry {
  /**
   * Path inside its source, **one character per byte** (latin1), so that every name Linux allows is exact and `<`
   * compares bytes. No leading slash; `.` is the source's own root (of a volume). For `paths` sources it is the
   * absolute path on the host without the leading slash.
   */
  path: string;
  type: EntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  /** Bytes; regular files only. */
  size?: number;
  /** Target of a symbolic link, one character per byte. */
  target?: string;
  /** Of a device node. */
  device?: { major: number; minor: number };
  /** Extended attributes, POSIX ACLs and capabilities among them; names one character per byte. */
  xattrs?: Record<string, Uint8Array>;
  /** The path of an earlier entry of this source that is the same inode; such an entry has no content of its own. */
  hardlink?: string;
  /** Holes of a sparse file: [offset, length] in bytes, sorted. Chunks cover the file without them. */
  holes?: [number, number][];
  /** SHA-256 of each chunk in order, hex. Present on every regular file that is not a hardlink; `[]` when empty. */
  chunks?: string[];
  /** For the next run's decision whether the content must be read: inode number and ctime when it was read. */
  inode?: number;
  ctime?: bigint;
  /**
   * It changed while it was read and these are bytes of different moments: `changed`; or a growing file's valid prefix:
   * `grew`.
   */
  flag?: 'changed' | 'grew';
}

export type EntryType = 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block';

/**
 * The order of entries in a tree: byte order, with `/` before every other byte, which is the order of a walk that
 * visits each directory's children sorted, right after the directory. The root `.` comes before everything in it.
 */
export function comparePaths(a: string, b: string): number {
  if (a === '.' || b === '.') return Number(b === '.') - Number(a === '.');
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return (x === 0x2f ? -1 : x) - (y === 0x2f ? -1 : y);
  }
  return a.length - b.length;
}

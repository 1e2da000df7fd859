import type { Entry } from '../../repository/entry.ts';
import { pathAt } from '../../support/posix/byte-path.ts';
import { readLinkAt } from '../../support/posix/read-link.ts';
import { readXattrs } from '../../support/posix/xattrs.ts';
import type { Seen } from '../walk/walk.ts';

/**
 * Everything about a file but its content, as its entry in the tree. Throws the system's error when it has vanished.
 * The ctime is that of the stat, before anything else was read: a change in between shows next time.
 */
export function describeFile(seen: Seen): Entry {
  const { parent, name, stat } = seen;
  const entry = describeByStat(seen);
  if (stat.type === 'symlink') entry.target = readLinkAt(parent.descriptor, name);
  const xattrs = readXattrs(pathAt(parent.descriptor, name));
  if (xattrs !== undefined) entry.xattrs = xattrs;
  return entry;
}

/**
 * What the stat alone tells: enough for a regular file that will be read, for its attributes are read with its
 * content.
 */
export function describeByStat({ path, stat }: Seen): Entry {
  const { type, mode, uid, gid, mtime, ctime } = stat;
  if (type === 'socket') throw new TypeError('a socket is not backed up');
  const entry: Entry = { path, type, mode, uid, gid, mtime, inode: Number(stat.inode), ctime };
  if (type === 'character' || type === 'block') entry.device = { major: stat.major, minor: stat.minor };
  if (type === 'file') entry.size = stat.size;
  return entry;
}

import { closeSync } from 'node:fs';
import type { Entry } from '../../repository/entry.ts';
import { statFile } from '../../support/posix/stat.ts';
import { atPath } from '../../support/posix/whole-path.ts';
import { getXattr, listXattrs, removeXattr } from '../../support/posix/xattrs.ts';
import { applyMetadata, isAcl, type MetadataOptions } from '../tree/metadata.ts';
import { openPlainDirectory } from './directories.ts';

/** Metadata of a directory that stays while its children are exchanged, as a journal keeps it. */
export interface StoredMetadata {
  mode: number;
  uid: number;
  gid: number;
  /** Nanoseconds since 1970. */
  mtime: string;
  /** Values in base64. */
  xattrs: Record<string, string>;
}

type Metadata = Pick<Entry, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>;

/** As JSON can keep it. */
export function storeMetadata(metadata: Metadata): StoredMetadata {
  const { mode, uid, gid, mtime, xattrs = {} } = metadata;
  const encoded = Object.entries(xattrs).map(([name, value]) => [
    name,
    Buffer.from(value).toString('base64'),
  ]);
  return { mode, uid, gid, mtime: String(mtime), xattrs: Object.fromEntries(encoded) };
}

/** What a directory has now. Throws when it is none, or a link. */
export function readMetadata(directory: string): StoredMetadata {
  const file = openPlainDirectory(directory);
  try {
    return atPath(directory, () => {
      const xattrs = listXattrs(file).map((name) => [name, getXattr(file, name) ?? new Uint8Array()]);
      const { mode, uid, gid, mtime } = statFile(file);
      return storeMetadata({ mode, uid, gid, mtime, xattrs: Object.fromEntries(xattrs) });
    });
  } finally {
    closeSync(file);
  }
}

/**
 * Gives a directory that stays what was read of it, or what the snapshot says, and takes ACLs and attributes of users
 * from it that it had not then. Throws when it is none, or a link.
 */
export function writeMetadata(directory: string, stored: StoredMetadata, options: MetadataOptions): void {
  const file = openPlainDirectory(directory);
  const xattrs = Object.entries(stored.xattrs).map(([name, value]) => [name, Buffer.from(value, 'base64')]);
  const entry: Entry = {
    ...stored,
    path: directory,
    type: 'directory',
    mtime: BigInt(stored.mtime),
    xattrs: Object.fromEntries(xattrs),
  };
  try {
    atPath(directory, () => {
      for (const name of listXattrs(file))
        if (isOfUsers(name) && !Object.hasOwn(stored.xattrs, name)) removeXattr(file, name);
      applyMetadata({ directory: file, name: '.', file }, entry, options);
    });
  } finally {
    closeSync(file);
  }
}

/** Others are the system's own, and of what works on top of it: labels, marks of volumes. */
function isOfUsers(name: string): boolean {
  return isAcl(name) || name.startsWith('user.');
}

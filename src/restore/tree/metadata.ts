import { chmodSync, fchmodSync, fchownSync } from 'node:fs';
import type { Entry } from '../../repository/entry.ts';
import { codeOf, FailedError } from '../../support/errors.ts';
import { pathAt, toFsPath, toText } from '../../support/posix/byte-path.ts';
import { setOwnerAt } from '../../support/posix/owner.ts';
import { readLinkAt } from '../../support/posix/read-link.ts';
import { type Stat, statAt } from '../../support/posix/stat.ts';
import { setTimesAt } from '../../support/posix/times.ts';
import { getXattr, listXattrs, removeXattr, setXattr, type XattrFile } from '../../support/posix/xattrs.ts';
import { lacksAmong } from './lacks.ts';

/** A name in an open directory. */
export interface Location {
  directory: number;
  name: string;
}

/** A file that was made; `file` is its descriptor where it has one. */
export interface Made extends Location {
  file?: number;
}

export interface MetadataOptions {
  /** Only root may give files away. */
  owners: boolean;
  warn(message: string): void;
  /** Something of a file cannot come back here. */
  lacks(path: string, why: string): void;
  /** Where the file of an entry belongs: absolute, one character per byte. */
  pathOf(entry: Pick<Entry, 'path'>): string;
}

/**
 * For whoever this process runs as, and entries whose path is where they belong.
 * @param warnings is given what the file system cannot hold, and what else there is to tell
 */
export function metadataOptions(warnings: string[]): MetadataOptions {
  return {
    owners: process.getuid?.() === 0,
    warn: (message) => void warnings.push(message),
    lacks: lacksAmong(warnings),
    pathOf: ({ path }) => path,
  };
}

/**
 * Gives a file the owner, mode, attributes and time of its entry, in the only order that keeps them all: a change of
 * owner clears setuid and capabilities, a change of mode rewrites an ACL's mask, and everything moves the time.
 */
export function applyMetadata(made: Made, entry: Entry, options: MetadataOptions): void {
  const { directory, name, file } = made;
  if (options.owners) {
    if (file === undefined) setOwnerAt(directory, name, entry.uid, entry.gid);
    else fchownSync(file, entry.uid, entry.gid);
  }
  const mode = options.owners ? entry.mode : modeWithoutOwner(made, entry);
  if (file !== undefined) fchmodSync(file, mode);
  else if (entry.type !== 'symlink') chmodSync(toFsPath(pathAt(directory, name)), mode);
  if (entry.xattrs) applyXattrs(file ?? pathAt(directory, name), entry, options);
  setTimesAt(directory, name, entry.mtime);
}

/**
 * Reads back what `applyMetadata` did. A time that the system took is as near as the file system here can come to it:
 * some count whole seconds, or end in 2038.
 * @throws {FailedError} naming what is not as the entry says
 */
export function verifyMetadata(made: Made, entry: Entry, { owners, lacks, pathOf }: MetadataOptions): void {
  const found = statAt(made.directory, made.name);
  const lack = (why: string) => lacks(toText(pathOf(entry)), why);
  if (found.mtime !== entry.mtime) lack('the file system here cannot hold the exact time');
  if (!owners && !isOwnedAs(found, entry)) lack('only root can give back the owner');
  if (!owners && entry.type !== 'symlink' && (found.mode ^ entry.mode) & setIds)
    lack('setuid and setgid are left out, for they would be those of another owner');
  const fault =
    difference(found, entry, owners) ??
    (entry.type === 'symlink' &&
    entry.hardlink === undefined &&
    readLinkAt(made.directory, made.name) !== entry.target
      ? 'target'
      : undefined) ??
    differingXattr(made, entry);
  if (fault === undefined) return;
  const path = toText(pathOf(entry));
  throw new FailedError(`restoring ${path}: its ${fault} reads back differently`, { facts: { path, fault } });
}

const setIds = 0o6000;

/** Whoever runs a program that is setuid becomes its owner: of another than it had, that was never meant. */
function modeWithoutOwner({ directory, name }: Made, { type, mode, uid, gid }: Entry): number {
  if ((mode & setIds) === 0 || type === 'directory') return mode;
  return isOwnedAs(statAt(directory, name), { uid, gid }) ? mode : mode & ~setIds;
}

function isOwnedAs(found: Stat, { uid, gid }: Pick<Entry, 'uid' | 'gid'>): boolean {
  return found.uid === uid && found.gid === gid;
}

/** Takes away what a new directory inherited from the one it was made in. */
export function removeInheritedAcl(directory: number): void {
  for (const name of listXattrs(directory)) if (isAcl(name)) removeXattr(directory, name);
}

function applyXattrs(file: XattrFile, entry: Entry, { lacks, pathOf }: MetadataOptions): void {
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) {
    try {
      setXattr(file, name, value);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      lacks(toText(pathOf(entry)), `the file system here cannot hold the attribute ${toText(name)}`);
    }
  }
}

/** By rights or by kind: `EPERM` is a `trusted.*` or `security.*` attribute without the capability for it. */
function isUnsupported(error: unknown): boolean {
  return ['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(codeOf(error) ?? '');
}

function difference(found: Stat, entry: Entry, owners: boolean): string | undefined {
  if (found.type !== entry.type) return 'type';
  if (owners && !isOwnedAs(found, entry)) return 'owner';
  if (entry.type !== 'symlink' && (found.mode ^ entry.mode) & (owners ? 0o7777 : ~setIds)) return 'mode';
  if (entry.type === 'file' && entry.size !== undefined && found.size !== entry.size) return 'size';
  if (entry.device && (found.major !== entry.device.major || found.minor !== entry.device.minor)) {
    return 'device number';
  }
  return undefined;
}

function differingXattr({ directory, name, file }: Made, entry: Entry): string | undefined {
  const at = file ?? pathAt(directory, name);
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) {
    const found = getXattr(at, key);
    if (found !== undefined && !Buffer.from(found).equals(value)) return `attribute ${toText(key)}`;
  }
  return undefined;
}

export function isAcl(name: string): boolean {
  return name.startsWith('system.posix_acl_');
}

import { posix } from 'node:path';
import { DamagedError } from '../../support/errors.ts';

/**
 * An entry's name as a path below the archive's root: `./a//b/`, `/a/b` and `a/b` are all `a/b`, the root itself is
 * `''`.
 * @throws {DamagedError} when it climbs (`..`) or is no name at all
 */
export function entryPath(name: string, where: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new DamagedError(`${where}: ${JSON.stringify(name)} leaves the archive`);
  if (name === '' || name.includes('\0')) throw new DamagedError(`${where}: has no usable name`);
  return parts.join('/');
}

/** What the archive holds at a path. */
export interface Linkable {
  kind: 'file' | 'directory' | 'symlink' | 'hardlink';
  link: string | undefined;
}

/** Longer chains are cycles, or meant to be. */
const maxLinks = 40;

/**
 * Follows links until something that is none, as the era that wrote them meant it: a symbolic link is relative to
 * its own directory, a hard link to the archive's root.
 * @returns the path of a file or directory; `undefined` when nothing is there
 * @throws {DamagedError} for a cycle, or a link that leaves the archive
 */
export function followLinks(
  entries: ReadonlyMap<string, Linkable>,
  path: string,
  what: string,
): string | undefined {
  let at = path;
  for (let hops = 0; hops <= maxLinks; hops++) {
    const entry = entries.get(at);
    if (entry === undefined) return undefined;
    if (entry.link === undefined) return at;
    at = linkTarget(at, entry.kind, entry.link, what);
  }
  throw new DamagedError(`${what}: the links from ${JSON.stringify(path)} lead in a circle`);
}

function linkTarget(at: string, kind: Linkable['kind'], link: string, what: string): string {
  if (kind === 'hardlink') return entryPath(link, what);
  const target = posix.normalize(posix.join(posix.dirname(at), link));
  if (link.startsWith('/') || target === '..' || target.startsWith('../')) {
    throw new DamagedError(
      `${what}: the link ${JSON.stringify(at)} points out of the archive, to ${JSON.stringify(link)}`,
    );
  }
  return target;
}

import { comparePaths, type Entry } from '../../repository/entry.ts';
import { DamagedError } from '../../support/errors.ts';
import { isInside } from '../../support/path-containment.ts';
import { toText } from '../../support/posix/byte-path.ts';

/**
 * Passes entries on that can only lead to files under `roots`, and throws `DamagedError` for any other: a path that
 * climbs out, comes twice or out of order, has no directory to be in, or a size that its parts contradict. A link or a
 * file can therefore never be the parent of anything.
 *
 * @param roots paths at which the trees of a source begin: `.`, or `etc/puppet`
 */
export async function* checkedEntries(
  entries: AsyncIterable<Entry>,
  roots: readonly string[],
): AsyncGenerator<Entry> {
  let previous: string | undefined;
  let directories: string[] = [];
  for await (const entry of entries) {
    const { path } = entry;
    if (!isPlainPath(path)) throw damaged(path, 'is not a path inside the snapshot');
    if (previous !== undefined && comparePaths(previous, path) >= 0)
      throw damaged(path, 'comes twice or too late');
    previous = path;
    if (roots.includes(path)) directories = [];
    else {
      while (directories.length > 0 && !isInside(path, directories.at(-1)!)) directories.pop();
      if (directories.at(-1) !== parentOf(path)) throw damaged(path, 'is in no directory of the snapshot');
    }
    checkParts(entry);
    if (entry.type === 'directory') directories.push(path);
    yield entry;
  }
}

/** Of `.` there is none; of a name at the top it is `.`. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function isPlainPath(path: string): boolean {
  if (path === '.') return true;
  return (
    !path.includes('\0') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
  );
}

function checkParts(entry: Entry): void {
  const { path, type, size = 0, hardlink, holes = [], chunks } = entry;
  if (hardlink !== undefined) {
    if (type === 'directory') throw damaged(path, 'is a directory that is a hard link');
    if (!isPlainPath(hardlink) || comparePaths(hardlink, path) >= 0)
      throw damaged(path, 'links to no earlier file');
  } else if (type === 'file' && (chunks === undefined || !Number.isSafeInteger(size) || size < 0)) {
    throw damaged(path, 'is a file without content');
  }
  if (type === 'symlink' && hardlink === undefined && !entry.target)
    throw damaged(path, 'is a link to nowhere');
  let end = 0;
  for (const [offset, length] of holes) {
    // Empty ones were written of files that were filled while they were looked at.
    if (!(offset >= end && length >= 0 && offset + length <= size))
      throw damaged(path, 'has holes out of order');
    end = offset + length;
  }
}

function damaged(path: string, fault: string): DamagedError {
  return new DamagedError(`reading the snapshot's tree: ${JSON.stringify(toText(path))} ${fault}`, {
    advice: 'dockerctl backup verify --read-data tells what else is wrong; restore another snapshot',
    facts: { path: toText(path) },
  });
}

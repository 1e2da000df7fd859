import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fromText, toFsPath } from '../../src/support/posix/byte-path.ts';
import { getXattr, listXattrs } from '../../src/support/posix/xattrs.ts';

/** Path below the root (one character per byte) → everything that must come back, as one line. */
export type Fingerprint = Map<string, string>;

/** Kind, mode, owner, size, modification time in nanoseconds, number of links, attributes and content of every file. */
export function fingerprint(root: string): Fingerprint {
  const lines: Fingerprint = new Map();
  describe(fromText(root), '.', lines);
  return lines;
}

/** The paths whose lines differ, or that only one of the two has. */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}

function describe(root: string, path: string, lines: Fingerprint): void {
  const file = `${root}/${path}`;
  const stats = lstatSync(toFsPath(file), { bigint: true });
  const { mode, uid, gid, mtimeNs, nlink } = stats;
  const attributes = listXattrs(file).map(
    (name) => `${name}=${Buffer.from(getXattr(file, name) ?? []).toString('hex')}`,
  );
  const links = stats.isDirectory() ? '' : nlink;
  lines.set(
    path,
    [mode.toString(8), uid, gid, mtimeNs, links, ...attributes, contentOf(file, stats)].join(' '),
  );
  if (!stats.isDirectory()) return;
  for (const name of readdirSync(toFsPath(file), 'latin1').sort()) describe(root, `${path}/${name}`, lines);
}

function contentOf(file: string, stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return readlinkSync(toFsPath(file), 'latin1');
  if (!stats.isFile()) return '';
  return createHash('sha256')
    .update(readFileSync(toFsPath(file)))
    .digest('hex');
}

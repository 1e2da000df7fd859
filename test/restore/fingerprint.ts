import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { toFsPath } from '../../src/support/posix/byte-path.ts';
import { readLinkAt } from '../../src/support/posix/read-link.ts';
import { currentDirectory, statAt } from '../../src/support/posix/stat.ts';
import { getXattr, listXattrs } from '../../src/support/posix/xattrs.ts';

/** Everything an operator could miss about a tree: names, types, owners, modes, times, attributes, links and bytes. */
export function fingerprint(path: string): Record<string, string> {
  const found: Record<string, string> = {};
  const inodes = new Map<string, string>();
  visit(Buffer.from(path).toString('latin1'), '.', found, inodes);
  return found;
}

function visit(path: string, name: string, found: Record<string, string>, inodes: Map<string, string>): void {
  const { type, mode, uid, gid, mtime, size, links, inode, major, minor } = statAt(currentDirectory, path);
  const facts: unknown[] = [type, mode.toString(8), uid, gid, String(mtime)];
  if (type === 'file')
    facts.push(
      size,
      createHash('sha256')
        .update(readFileSync(toFsPath(path)))
        .digest('hex'),
    );
  if (type === 'symlink') facts.push(readLinkAt(currentDirectory, path));
  if (type === 'block' || type === 'character') facts.push(major, minor);
  for (const key of listXattrs(path)) facts.push(key, Buffer.from(getXattr(path, key) ?? []).toString('hex'));
  if (type !== 'directory' && links > 1) {
    const first = inodes.get(String(inode)) ?? name;
    inodes.set(String(inode), first);
    facts.push(`same as ${first}`);
  }
  found[name] = facts.join(' ');
  if (type !== 'directory') return;
  for (const child of readdirSync(toFsPath(path), 'latin1').sort()) {
    visit(pathBelow(path, child), pathBelow(name, child), found, inodes);
  }
}

function pathBelow(directory: string, name: string): string {
  return `${directory}/${name}`;
}

import { cString } from './byte-path.ts';
import { check, libc } from './libc.ts';

const target = Buffer.alloc(4096);

/** Where the symbolic link `name` in an open directory points, one character per byte. */
export function readLinkAt(directory: number, name: string): string {
  const length = check(
    libc().readlinkat(directory, cString(name), target, target.length),
    'readlinkat',
    name,
  );
  return target.toString('latin1', 0, Number(length));
}

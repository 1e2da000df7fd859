import { cString } from './byte-path.ts';
import { check, libc } from './libc.ts';

const noFollow = 0x100;

/**
 * Owner of `name` in an open directory, of a link itself if it is one. Clears setuid and capabilities: set those after.
 */
export function setOwnerAt(directory: number, name: string, uid: number, gid: number): void {
  check(libc().fchownat(directory, cString(name), uid, gid, noFollow), 'fchownat', name);
}

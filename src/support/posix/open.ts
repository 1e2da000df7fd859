import { constants } from 'node:fs';
import { cString } from './byte-path.ts';
import { check, libc } from './libc.ts';

const closeOnExec = 0o2000000;

/**
 * Opens `name` in an open directory without following a link in its last component (`ELOOP`, or `ENOTDIR` with
 * `O_DIRECTORY`, if it is one). The descriptor is closed by `fs.closeSync`.
 *
 * @param flags of `fs.constants`: `O_RDONLY`, `O_NONBLOCK` (a FIFO would block), …
 */
export function openAt(directory: number, name: string, flags: number, mode = 0o600): number {
  const all = flags | constants.O_NOFOLLOW | closeOnExec;
  return check(libc().openat(directory, cString(name), all, mode), 'openat', name);
}

/**
 * Closes a descriptor of `openAt` that was only read, on a thread whose own files node closes when it ends: it would
 * warn of one that it did not open. What was read is read, whatever a network answers to that.
 */
export function closeFile(file: number): void {
  libc().close(file);
}

/** Opens a directory to walk it. Throws `ENOTDIR` for anything else, links included. */
export function openDirectoryAt(directory: number, name: string): number {
  return openAt(directory, name, constants.O_RDONLY | constants.O_DIRECTORY);
}

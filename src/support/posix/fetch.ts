import { libc } from './libc.ts';

/** Source: posix_fadvise(2). */
const willNeed = 3;

/**
 * Has the kernel fetch the first `length` bytes of an open file from its disk, and does not wait for them. It is
 * advice: where it cannot be taken, whoever reads waits.
 */
export function fetchSoon(file: number, length: number): void {
  libc().posixFadvise(file, 0, length, willNeed);
}

import { cString } from './byte-path.ts';
import { check, libc } from './libc.ts';

const noFollow = 0x100;
const times = Buffer.alloc(32);

/**
 * Sets access and modification time of `name` in an open directory, of a link itself if it is one.
 *
 * @param mtime nanoseconds since 1970, kept exactly; the access time becomes the same
 */
export function setTimesAt(directory: number, name: string, mtime: bigint): void {
  writeTime(0, mtime);
  writeTime(16, mtime);
  check(libc().utimensat(directory, cString(name), times, noFollow), 'utimensat', name);
}

/** `struct timespec`; the nanoseconds are never negative, also before 1970. */
function writeTime(offset: number, time: bigint): void {
  const billion = 1_000_000_000n;
  const nanoseconds = ((time % billion) + billion) % billion;
  times.writeBigInt64LE((time - nanoseconds) / billion, offset);
  times.writeBigInt64LE(nanoseconds, offset + 8);
}

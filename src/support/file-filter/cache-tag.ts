import { closeSync, constants, readSync } from 'node:fs';
import { openAt } from '../posix/open.ts';

/** Name of the file by which a directory says that it is a cache. */
export const cacheTag = 'CACHEDIR.TAG';
const signature = 'Signature: 8a477f597d28d172789f06886806bc55';

/** Whether an open directory says that its contents can be made again. Source: bford.info/cachedir. */
export function isCacheDirectory(directory: number): boolean {
  try {
    const file = openAt(directory, cacheTag, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(signature.length);
      return readSync(file, bytes) === signature.length && bytes.toString('latin1') === signature;
    } finally {
      closeSync(file);
    }
  } catch {
    return false; // Not there, or nothing that can be read: no tag.
  }
}

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** Bytes that are free on the file system where `path` is or will be. */
export async function freeSpaceAt(path: string): Promise<number> {
  // Its types speak of the CommonJS build, but node loads the ES module.
  const library = (await import('check-disk-space')) as unknown as CheckDiskSpace;
  return (await library.default(existingPartOf(path))).free;
}

interface CheckDiskSpace {
  default(path: string): Promise<{ free: number; size: number }>;
}

function existingPartOf(path: string): string {
  return existsSync(path) ? path : existingPartOf(dirname(path));
}

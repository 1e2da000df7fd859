import { lastError, libc } from './libc.ts';

/** Puts everything written to the file system that an open file is on onto its disk; off the main thread. */
export function syncFileSystem(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    libc().syncfs.async(file, (error: unknown, result: number) => {
      if (error) reject(error);
      else if (result < 0) reject(lastError('syncfs'));
      else resolve();
    });
  });
}

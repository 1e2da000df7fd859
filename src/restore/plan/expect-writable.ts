import { accessSync, constants } from 'node:fs';
import { codeOf, FailedError } from '../../support/errors.ts';
import { toFsPath, toText } from '../../support/posix/byte-path.ts';
import type { Layout } from '../places.ts';
import { nearestExisting } from './needs.ts';

/** @throws {FailedError} for what is mounted read-only, and something of it is to be replaced */
export function expectWritable({ places }: Layout): void {
  for (const { directory } of places) {
    const existing = nearestExisting(directory);
    try {
      accessSync(toFsPath(existing), constants.W_OK);
    } catch (error) {
      if (codeOf(error) !== 'EROFS') continue; // Whoever may not is told where it is done.
      throw new FailedError(`restoring to ${toText(existing)}: it is mounted read-only`, {
        advice: 'Mount it for writing, or write to another directory with --to DIR',
        facts: { directory: toText(existing) },
        cause: error,
      });
    }
  }
}

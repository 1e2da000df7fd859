import { encodedName } from '../encoded-name.ts';

/** The name under which a dump holds a database file: its path without the first slash, in one part. */
export function fileNameOf(path: string): string {
  return encodedName(path.replace(/^\/+/, ''), '._-');
}

/** What SQLite keeps beside a database file while it is open: it means nothing beside any other. */
export const companionSuffixes = ['-wal', '-shm', '-journal'];

/**
 * The name under which a dump holds a database file: its path without the first slash, in one part. What is not a letter, digit,
 * `.`, `_` or `-` is percent-encoded, byte by byte.
 */
export function fileNameOf(path: string): string {
  return Array.from(Buffer.from(path.replace(/^\/+/, ''), 'utf8'), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(character)
      ? character
      : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }).join('');
}

/** What SQLite keeps beside a database file while it is open: it means nothing beside any other. */
export const companionSuffixes = ['-wal', '-shm', '-journal'];

import { readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from './durable.ts';
import { codeOf, DamagedError, messageOf } from './errors.ts';
import { readSmallFile } from './small-file.ts';

/**
 * The durable record of work that must be finished or taken back, whatever happens: a JSON file (0600) that is replaced
 * as a whole before each step that it tells of.
 */
export async function writeJournal(path: string, state: unknown): Promise<void> {
  await makeDirectoryDurably(dirname(path));
  await writeFileDurably(path, `${JSON.stringify(state)}\n`);
}

/** Far more than a journal needs, in bytes. */
const sizeLimit = 256 << 20;

/** @throws {DamagedError} when it is no file, or not JSON. @throws what the system says when it cannot be read */
export async function readJournal<T>(path: string): Promise<T> {
  try {
    return JSON.parse(readSmallFile(path, sizeLimit).toString()) as T;
  } catch (cause) {
    if (codeOf(cause) !== undefined) throw cause;
    const why = cause instanceof SyntaxError ? 'it is not JSON' : messageOf(cause);
    throw new DamagedError(`reading the journal ${path}: ${why}`, { cause, facts: { path } });
  }
}

/** Paths of the journals in a directory, sorted; none when it does not exist. */
export async function listJournals(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^[\w-]+\.json$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** The work is over. No-op when it is gone already. */
export async function removeJournal(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await syncDirectory(dirname(path));
}

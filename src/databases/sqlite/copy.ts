import { rm } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { DamagedError, DockerctlError, FailedError, messageOf } from '../../support/errors.ts';
import { companionSuffixes } from './file-name.ts';

/** Milliseconds in which a writer must let a reader in. */
const patience = 60_000;
const attempt = 100;
/** Pages between two looks at whether we shall stop. */
const pagesPerStep = 4096;

/**
 * Copies a database file while others write to it: one moment, with everything that its log (WAL) holds, checked
 * afterwards. Writers of a database with a log do not notice; those of one without wait for as long as the copy takes,
 * as for any reader.
 *
 * @param path a real path: nothing on it may be a link
 * @throws {FailedError} when it is no database, or writers let nobody in. @throws {DamagedError} when it is damaged
 */
export async function copyDatabase(path: string, destination: string, signal: AbortSignal): Promise<void> {
  const source = open(path);
  try {
    await beginReading(source, path, signal);
    expectPages(source, path);
    const progress = () => signal.throwIfAborted();
    await backup(source, destination, { rate: pagesPerStep, progress });
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof DockerctlError ? cause : failed(path, cause);
  } finally {
    source.close();
  }
  signal.throwIfAborted();
  expectSound(destination, path);
  for (const suffix of companionSuffixes) await rm(destination + suffix, { force: true });
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: attempt, allowExtension: false });
  } catch (cause) {
    throw failed(path, cause);
  }
}

/** From here on the connection sees one moment. */
async function beginReading(source: DatabaseSync, path: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      source.exec('BEGIN');
      source.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
      return;
    } catch (cause) {
      signal.throwIfAborted();
      if (!isBusy(cause) || performance.now() > deadline) throw failed(path, cause);
      if (source.isTransaction) source.exec('ROLLBACK');
    }
    await setTimeout(20, undefined, { signal });
  }
}

/** A file too short for a header passes for a database without tables. */
function expectPages(source: DatabaseSync, path: string): void {
  if (source.prepare('PRAGMA page_count').get()?.page_count === 0)
    throw new FailedError(`copying ${path}: it is empty`);
}

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const codes = { busy: 5, locked: 6, corrupt: 11 };

function isBusy(error: unknown): boolean {
  return [codes.busy, codes.locked].includes(resultOf(error));
}

function resultOf(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff;
}

function expectSound(copy: string, path: string): void {
  const database = open(copy);
  try {
    const problems = findings(database);
    if (problems[0] === 'ok') return;
    throw new DamagedError(`copying ${path}: the database is damaged: ${problems[0]}`, {
      facts: { problems },
    });
  } catch (cause) {
    throw cause instanceof DockerctlError ? cause : failed(path, cause);
  } finally {
    database.close();
  }
}

function findings(database: DatabaseSync): string[] {
  const rows = database.prepare('PRAGMA integrity_check(20)').all();
  return rows.map((row) => String(Object.values(row)[0]));
}

function failed(path: string, cause: unknown): FailedError | DamagedError {
  const kind = codes.corrupt === resultOf(cause) ? DamagedError : FailedError;
  return new kind(`copying ${path}: ${messageOf(cause)}`, { cause });
}

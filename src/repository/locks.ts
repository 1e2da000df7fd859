import { join } from 'node:path';
import { LockedError } from '../support/errors.ts';
import { acquireLock, type Lock } from '../support/lock.ts';
import { writeError } from './write-error.ts';

/** Files in a repository's directory. */
export const lockNames = { writer: 'lock', readers: 'readers.lock' } as const;

/**
 * Who may be in a repository at a time: one writer; any number of readers, beside it; and whoever deletes blobs, alone.
 * Every method throws `LockedError` when somebody else is in the way.
 */
export class RepositoryLocks {
  readonly #directory: string;
  readonly #now: () => Date;
  #readers: Lock | undefined;
  #writer: Lock | undefined;

  constructor(directory: string, now: () => Date) {
    this.#directory = directory;
    this.#now = now;
  }

  /** Readers keep whoever deletes blobs away, and not each other. Held until `release`. */
  share(): void {
    this.#readers ??= this.#acquire(lockNames.readers, 'shared', 'reading');
  }

  write(purpose: string): Lock {
    this.#writer = this.#acquire(lockNames.writer, 'exclusive', purpose);
    return this.#writer;
  }

  endWriting(): void {
    this.#writer?.release();
    this.#writer = undefined;
  }

  /** With nobody else in the repository, neither writer nor reader. */
  async alone<T>(purpose: string, work: () => Promise<T>): Promise<T> {
    const writer = this.write(purpose);
    // Its own shared lock would keep it out as much as another reader's.
    this.#readers?.release();
    this.#readers = undefined;
    try {
      const alone = this.#acquire(lockNames.readers, 'exclusive', purpose);
      try {
        return await work();
      } finally {
        alone.release();
      }
    } finally {
      writer.release();
    }
  }

  release(): void {
    this.#readers?.release();
    this.#writer?.release();
  }

  #acquire(name: string, mode: 'shared' | 'exclusive', purpose: string): Lock {
    try {
      return acquireLock(join(this.#directory, name), { mode, purpose, now: this.#now() });
    } catch (error) {
      throw writeError(this.#directory, error);
    }
  }
}

/** Whether anybody is in the repository, to read or to write. */
export function isInUse(directory: string, now: Date): boolean {
  try {
    for (const name of Object.values(lockNames)) {
      acquireLock(join(directory, name), { mode: 'exclusive', purpose: 'removing', now }).release();
    }
    return false;
  } catch (error) {
    return error instanceof LockedError;
  }
}

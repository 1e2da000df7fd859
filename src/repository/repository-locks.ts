import { join } from 'node:path';
import { acquireLock, type Lock } from '../support/lock.ts';

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
    this.#readers ??= this.#acquire('readers.lock', 'shared', 'reading');
  }

  write(purpose: string): Lock {
    this.#writer = this.#acquire('lock', 'exclusive', purpose);
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
      const alone = this.#acquire('readers.lock', 'exclusive', purpose);
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
    return acquireLock(join(this.#directory, name), { mode, purpose, now: this.#now() });
  }
}

import { lastError, libc } from './libc.ts';

/** So many bytes of a file are handed to its disk at a time. */
const step = 1024 * 1024;

/** Source: sync_file_range(2). */
const waitBefore = 1;
const write = 2;
const waitAfter = 4;

/** What a file system answers that cannot do it. */
const unsupported = ['ENOSYS', 'EINVAL', 'ESPIPE', 'EOPNOTSUPP'];

/**
 * Brings a file that is written from its beginning to its end to the disk while it grows, two steps behind at most.
 * Without it the system gathers what is written, an fsync brings all of it to the disk at once, and whoever syncs a few
 * bytes at that moment, as a database does with each commit, waits for all of it.
 *
 * It promises nothing about a power cut: the file's length, and what the disk keeps in a cache of its own, are left to
 * fsync. But an error that a disk reports here is not reported to that fsync again, so it must not be lost.
 */
export class WriteBack {
  readonly #file: number;
  #begun = 0;
  #works = true;

  constructor(file: number) {
    this.#file = file;
  }

  /**
   * By now the file has `size` bytes. Waits for the disk when that is too far behind.
   * @throws {PosixError} of the disk
   */
  follow(size: number): void {
    for (; this.#works && size - this.#begun >= step; this.#begun += step) {
      this.#sync(this.#begun, write);
      if (this.#begun > 0) this.#sync(this.#begun - step, waitBefore | write | waitAfter);
    }
  }

  #sync(from: number, flags: number): void {
    if (!this.#works || libc().syncFileRange(this.#file, from, step, flags) === 0) return;
    const error = lastError('sync_file_range');
    if (!unsupported.includes(error.code)) throw error;
    this.#works = false;
  }
}

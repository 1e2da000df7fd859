import type { LoadedSnapshots } from './loaded-snapshots.ts';
import type { RepositoryLocks } from './locks.ts';
import { recoverStaging } from './run/recover-staging.ts';
import type { Store } from './seal/store.ts';
import type { StoredSnapshot } from './snapshot/stored.ts';
import { writeError } from './write-error.ts';

/**
 * What changes a repository: one at a time, and what was read before is read anew after it. Throws `LockedError` when
 * somebody else is in the way.
 */
export class Changes {
  readonly #store: Store;
  readonly #locks: RepositoryLocks;
  readonly #snapshots: LoadedSnapshots;

  constructor(store: Store, locks: RepositoryLocks, snapshots: LoadedSnapshots) {
    this.#store = store;
    this.#locks = locks;
    this.#snapshots = snapshots;
  }

  /** Begins what goes on, under the exclusive lock, until `end`; what dead writers left is cleared away first. */
  async begin<T>(purpose: string, begin: (stored: StoredSnapshot[]) => Promise<T>): Promise<T> {
    const lock = this.#locks.write(purpose);
    try {
      await recoverStaging(this.#store);
      this.#snapshots.forget();
      return await begin(await this.#snapshots.all());
    } catch (error) {
      lock.release();
      throw writeError(this.#store.directory, error);
    }
  }

  end(): void {
    this.#snapshots.forget();
    this.#locks.endWriting();
  }

  /** With nobody else in the repository. */
  async alone<T>(purpose: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.alone(purpose, async () => {
      try {
        return await work();
      } catch (error) {
        const { directory } = this.#store;
        throw writeError(directory, error, `${purpose} in ${directory}`);
      } finally {
        this.#snapshots.forget();
      }
    });
  }
}

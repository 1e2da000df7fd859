import { readIndex } from '../oci/layout-index.ts';
import { NotFoundError } from '../support/errors.ts';
import type { Progress } from '../support/progress.ts';
import type { RepositoryLocks } from './locks.ts';
import { ChunkPlaces } from './read/chunk-places.ts';
import type { Unreadable } from './repository.ts';
import type { Store } from './seal/store.ts';
import { type Catalog, loadCatalog } from './snapshot/catalog.ts';
import { startedOf } from './snapshot/index-json.ts';
import { shortId } from './snapshot/short-id.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import type { StoredSnapshot } from './snapshot/stored.ts';
import { readError } from './write-error.ts';

/**
 * The snapshots of a repository as they were read, under the lock of readers, until `forget` says that they may be
 * others now.
 */
export class LoadedSnapshots {
  readonly #store: Store;
  readonly #locks: RepositoryLocks;
  readonly #progress: Progress;
  readonly #warnedOf = new Set<string>();
  #catalog: Promise<Catalog> | undefined;
  /** Of the snapshot that was read last: one fills much memory. */
  #places: { id: string; places: Promise<ChunkPlaces> } | undefined;

  constructor(store: Store, locks: RepositoryLocks, progress: Progress) {
    this.#store = store;
    this.#locks = locks;
    this.#progress = progress;
  }

  /** Every one that can be read, oldest first; the others are warned of. */
  async all(): Promise<StoredSnapshot[]> {
    return (await this.#load()).stored;
  }

  /** The others. */
  async unreadable(): Promise<Unreadable[]> {
    const { damaged } = await this.#load();
    const named = (await readIndex(this.#store))?.manifests ?? [];
    return damaged.map(({ manifest, id, error }) => {
      const annotations = named.find(({ digest }) => digest === manifest)?.annotations;
      return { id, started: startedOf(annotations), reason: `it cannot be read: ${error.message}` };
    });
  }

  #load(): Promise<Catalog> {
    this.#locks.share();
    this.#catalog ??= this.#read();
    return this.#catalog;
  }

  async #read(): Promise<Catalog> {
    const catalog = await loadCatalog(this.#store).catch((error: unknown) => {
      throw readError(this.#store.directory, error);
    });
    for (const { id, error } of catalog.damaged) this.#warnOnce(id, error);
    return catalog;
  }

  #warnOnce(id: string, { message }: Error): void {
    if (!this.#warnedOf.has(id)) this.#progress.warn(`snapshot ${shortId(id)} cannot be read: ${message}`);
    this.#warnedOf.add(id);
  }

  /** @throws {NotFoundError} */
  async stored({ id }: Snapshot): Promise<StoredSnapshot> {
    const stored = (await this.all()).find(({ snapshot }) => snapshot.id === id);
    if (stored !== undefined) return stored;
    throw new NotFoundError(`reading snapshot ${id}: it is not in ${this.#store.directory}`);
  }

  /** Where the chunks of a snapshot are. */
  places(snapshot: Snapshot): Promise<ChunkPlaces> {
    if (this.#places?.id === snapshot.id) return this.#places.places;
    const places = this.stored(snapshot).then(({ parts }) => ChunkPlaces.load(this.#store, parts));
    const loaded = { id: snapshot.id, places };
    this.#places = loaded;
    places.catch(() => {
      if (this.#places === loaded) this.#places = undefined;
    });
    return places;
  }

  forget(): void {
    this.#catalog = undefined;
    this.#places = undefined;
  }
}

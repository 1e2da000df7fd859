import { randomBytes } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import type { Context } from '../support/context.ts';
import { NotFoundError } from '../support/errors.ts';
import type { Identity } from './age/keys.ts';
import type { Incoming } from './carry/incoming.ts';
import { beginIncoming } from './carry/incoming.ts';
import type { Outgoing } from './carry/outgoing.ts';
import { readOutgoing } from './carry/outgoing.ts';
import type { Entry } from './entry.ts';
import { RepositoryLocks } from './locks.ts';
import { removeSnapshots } from './prune/remove.ts';
import { keepReserve, releaseReserve } from './prune/reserve.ts';
import { ChunkPlaces } from './read/chunk-places.ts';
import { readContent } from './read/content.ts';
import { FrameReader } from './read/frame-reader.ts';
import { type Gap, readEntries } from './read/read-entries.ts';
import { repairRepository } from './repair/repair.ts';
import type { RemovalReport, RepairReport, Repository, VerifyOptions, VerifyReport } from './repository.ts';
import { beginRun, recoverStaging } from './run/begin.ts';
import type { Run, RunOptions } from './run/run.ts';
import { PlainCache } from './seal/plain-cache.ts';
import type { Store } from './seal/store.ts';
import type { TrustedKeys } from './signed/provenance.ts';
import { readSignedConfig, type SignedConfig } from './signed/signed-config.ts';
import { type Catalog, loadCatalog, loadEverySnapshot } from './snapshot/catalog.ts';
import { findSnapshot } from './snapshot/find.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import type { StoredSnapshot } from './snapshot/stored.ts';
import { readDamage, recordDamage } from './verify/damage-record.ts';
import { verifyRepository } from './verify/verify.ts';

/** The repository in a directory: what is asked of it, handed to the room that does it, under the lock that it needs. */
export class DirectoryRepository implements Repository {
  readonly #store: Store;
  readonly #context: Context;
  readonly #frames: FrameReader;
  readonly #places = new Map<string, Promise<ChunkPlaces>>();
  readonly #locks: RepositoryLocks;
  #stored: Promise<StoredSnapshot[]> | undefined;
  #run: Run | undefined;

  /** @param identities private keys that open what is sealed */
  constructor(directory: string, context: Context, identities: readonly Identity[] = []) {
    this.#store = { directory, recipients: [], identities, cache: undefined };
    this.#context = context;
    this.#locks = new RepositoryLocks(directory, context.now);
    this.#frames = new FrameReader(this.#store);
  }

  get directory(): string {
    return this.#store.directory;
  }

  async snapshots(): Promise<Snapshot[]> {
    return (await this.#load()).map(({ snapshot }) => snapshot);
  }

  async find(name: string): Promise<Snapshot> {
    return findSnapshot(await this.snapshots(), name, this.directory);
  }

  async *entries(snapshot: Snapshot, source: string, onGap?: (gap: Gap) => void): AsyncGenerator<Entry> {
    yield* readEntries(this.#store, await this.#storedOf(snapshot), source, onGap);
  }

  async signedConfig(snapshot: Snapshot): Promise<SignedConfig> {
    return readSignedConfig(this.#store, (await this.#storedOf(snapshot)).parts);
  }

  async *content(snapshot: Snapshot, entry: Readonly<Entry>): AsyncGenerator<Uint8Array> {
    if (entry.chunks?.length) yield* readContent(await this.#placesOf(snapshot), this.#frames, entry);
  }

  async verify(options: VerifyOptions, context: Context): Promise<VerifyReport> {
    this.#locks.share();
    const { damagedBlobs, ...report } = await verifyRepository(this.#store, options, context);
    await this.#recordDamage(damagedBlobs, context);
    return report;
  }

  async beginRun(options: RunOptions, context: Context): Promise<Run> {
    const lock = this.#locks.write('backup');
    try {
      await recoverStaging(this.#store);
      this.#stored = undefined;
      const stored = await this.#load();
      const repository = stored.at(-1)?.repository ?? randomBytes(16).toString('hex');
      this.#run = await beginRun(
        {
          ...options,
          store: this.#storeFor(options, repository),
          repository,
          stored,
          damaged: await readDamage(context.stateDir, repository),
          onEnd: () => this.#endWriting(),
        },
        context,
      );
      return this.#run;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async remove(ids: readonly string[], context: Context): Promise<RemovalReport> {
    return this.#alone('removing snapshots', async () => {
      await releaseReserve(this.directory);
      try {
        await recoverStaging(this.#store);
        const catalog = await loadEverySnapshot(this.#store);
        return await removeSnapshots(this.#rememberingStore(catalog), catalog, new Set(ids), context);
      } finally {
        await keepReserve(this.directory).catch(() => {}); // There may be no room for it yet.
      }
    });
  }

  async repair(context: Context): Promise<RepairReport> {
    const { damagedBlobs, ...report } = await this.#alone('repairing', async () => {
      const store = this.#rememberingStore(await loadEverySnapshot(this.#store));
      return repairRepository(store, context);
    });
    await this.#recordDamage(damagedBlobs, context);
    return report;
  }

  async outgoing(snapshot: Snapshot): Promise<Outgoing> {
    return readOutgoing(this.#store, await this.#storedOf(snapshot));
  }

  async beginIncoming(manifest: Buffer, keys: TrustedKeys, context: Context): Promise<Incoming> {
    const lock = this.#locks.write('taking in a snapshot');
    try {
      await recoverStaging(this.#store);
      this.#stored = undefined;
      const stored = await this.#load();
      const damaged = await readDamage(context.stateDir, stored.at(-1)?.repository ?? '');
      const onEnd = () => this.#endWriting();
      return await beginIncoming({ store: this.#store, stored, damaged, manifest, keys, onEnd });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#run?.abandon();
    await this.#frames.close();
    this.#locks.release();
  }

  async #recordDamage(damaged: ReadonlySet<Digest>, { stateDir }: Context): Promise<void> {
    const repository = (await this.#load()).at(-1)?.repository;
    if (repository !== undefined) await recordDamage(stateDir, repository, damaged);
  }

  /** What was read before is read anew after it. */
  async #alone<T>(purpose: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.alone(purpose, async () => {
      try {
        return await work();
      } finally {
        this.#stored = undefined;
        this.#places.clear();
      }
    });
  }

  /** So that the next run of a host without a key knows what is in an index that was written anew. */
  #rememberingStore({ stored }: Catalog): Store {
    const repository = stored.at(-1)?.repository;
    const needed = this.#store.identities.length > 0 && repository !== undefined;
    return needed
      ? { ...this.#store, cache: new PlainCache(this.#context.stateDir, repository) }
      : this.#store;
  }

  #storeFor({ recipients = [] }: RunOptions, repository: string): Store {
    const cache = recipients.length === 0 ? undefined : new PlainCache(this.#context.stateDir, repository);
    return { ...this.#store, recipients, cache };
  }

  #endWriting(): void {
    this.#run = undefined;
    this.#stored = undefined;
    this.#locks.endWriting();
  }

  /** Every snapshot that can be read; the others are warned of. */
  #load(): Promise<StoredSnapshot[]> {
    this.#locks.share();
    this.#stored ??= loadCatalog(this.#store).then(({ stored, damaged }) => {
      for (const { error } of damaged) this.#context.progress.warn(error.message);
      return stored;
    });
    return this.#stored;
  }

  async #storedOf(snapshot: Snapshot): Promise<StoredSnapshot> {
    const stored = (await this.#load()).find((other) => other.snapshot.id === snapshot.id);
    if (stored !== undefined) return stored;
    throw new NotFoundError(`reading snapshot ${snapshot.id}: it is not in ${this.directory}`);
  }

  #placesOf(snapshot: Snapshot): Promise<ChunkPlaces> {
    let places = this.#places.get(snapshot.id);
    if (places === undefined) {
      places = this.#storedOf(snapshot).then(({ parts }) => ChunkPlaces.load(this.#store, parts));
      places.catch(() => this.#places.delete(snapshot.id));
      this.#places.clear();
      this.#places.set(snapshot.id, places);
    }
    return places;
  }
}

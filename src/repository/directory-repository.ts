import { randomBytes } from 'node:crypto';
import { isEmptyLayout } from '../oci/layout-blobs.ts';
import type { Context } from '../support/context.ts';
import { messageOf } from '../support/errors.ts';
import type { Incoming, IncomingTrust } from './carry/incoming.ts';
import type { Outgoing } from './carry/outgoing.ts';
import { Changes } from './changes.ts';
import type { Entry } from './entry.ts';
import { IngestPool } from './ingest/pool.ts';
import { LoadedSnapshots } from './loaded-snapshots.ts';
import { RepositoryLocks } from './locks.ts';
import type { OpenOptions } from './open.ts';
import { keepReserve, releaseReserve } from './prune/reserve.ts';
import { readContent } from './read/content.ts';
import { FrameReader } from './read/frame-reader.ts';
import { lackingFiles } from './read/lacking-files.ts';
import { type Gap, readEntries } from './read/read-entries.ts';
import type {
  ContentOptions,
  RemovalReport,
  RepairOptions,
  RepairReport,
  Repository,
  Unreadable,
  VerifyOptions,
  VerifyReport,
} from './repository.ts';
import { beginRun } from './run/begin.ts';
import { recoverStaging } from './run/recover-staging.ts';
import type { Run, RunOptions } from './run/run.ts';
import { interruptibleStore } from './seal/interruptible-store.ts';
import { namingLackedKey } from './seal/key-lacking.ts';
import { knownRepository } from './seal/known-repository.ts';
import { rememberingStore, storeSealingTo } from './seal/remembering-store.ts';
import type { Store } from './seal/store.ts';
import { wasMadeHere } from './signed/made-here.ts';
import { latestOwn } from './signed/newest-own.ts';
import { readSignedConfig, type SignedConfig } from './signed/signed-config.ts';
import { loadEverySnapshot } from './snapshot/catalog.ts';
import { findSnapshot } from './snapshot/find.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import type { StoredSnapshot } from './snapshot/stored.ts';
import { type DamagedBlobs, expectDamage, expectDamagedBytes, recordDamage } from './verify/damage-record.ts';
import { markDamaged } from './verify/mark-damaged.ts';
import { readError } from './write-error.ts';

/**
 * The repository in a directory: what is asked of it, handed to the room that does it, under the lock that it needs.
 * Rooms that a nightly run does not enter are loaded when they are asked for.
 */
export class DirectoryRepository implements Repository {
  readonly #store: Store;
  readonly #context: Context;
  readonly #origin: OpenOptions['origin'];
  readonly #frames: FrameReader;
  readonly #locks: RepositoryLocks;
  readonly #snapshots: LoadedSnapshots;
  readonly #changes: Changes;
  /** For the run that was announced. */
  #pool: IngestPool | undefined;
  #run: Run | undefined;

  /** @param identities private keys that open what is sealed */
  constructor(directory: string, context: Context, { identities = [], origin }: OpenOptions) {
    this.#origin = origin;
    this.#store = { directory, recipients: [], identities, cache: undefined };
    this.#context = context;
    this.#locks = new RepositoryLocks(directory, context.now);
    this.#snapshots = new LoadedSnapshots(this.#store, this.#locks, context.progress);
    this.#changes = new Changes(this.#store, this.#locks, this.#snapshots);
    this.#frames = new FrameReader(this.#store);
  }

  get directory(): string {
    return this.#store.directory;
  }

  async snapshots(): Promise<Snapshot[]> {
    const stored = await this.#snapshots.all();
    return markDamaged(this.#store, stored, this.#context.stateDir).catch((error: unknown) => {
      throw readError(this.directory, error);
    });
  }

  async find(name: string): Promise<Snapshot> {
    const all = await this.snapshots();
    const found = findSnapshot(all, name, this.directory, this.#origin);
    if (name !== 'latest' || this.#origin === undefined) return found;
    return (await latestOwn(all, this.#origin, (one) => this.signedConfig(one))) ?? found;
  }

  unreadable(): Promise<Unreadable[]> {
    return this.#snapshots.unreadable();
  }

  async lacking(snapshot: Snapshot, source: string): Promise<string[]> {
    const stored = await this.#snapshots.stored(snapshot);
    return lackingFiles(this.#store, stored, source).catch((error: unknown) => {
      throw readError(this.directory, error);
    });
  }

  async *entries(snapshot: Snapshot, source: string, onGap?: (gap: Gap) => void): AsyncGenerator<Entry> {
    const read = readEntries(this.#store, await this.#snapshots.stored(snapshot), source, onGap);
    yield* namingLackedKey(read, snapshot, this.#store);
  }

  async signedConfig(snapshot: Snapshot): Promise<SignedConfig> {
    return readSignedConfig(this.#store, (await this.#snapshots.stored(snapshot)).parts);
  }

  async madeHere(snapshot: Snapshot, fingerprint: string): Promise<boolean> {
    return wasMadeHere(fingerprint, await this.#snapshots.stored(snapshot), this.#store);
  }

  content(snapshot: Snapshot, entry: Readonly<Entry>, options?: ContentOptions): AsyncIterable<Uint8Array> {
    return readContent(() => this.#snapshots.places(snapshot), this.#frames, entry, options);
  }

  async verify(options: VerifyOptions, context: Context): Promise<VerifyReport> {
    const { verifyRepository } = await import('./verify/verify.ts');
    this.#locks.share();
    const store = interruptibleStore(this.#store, context, 'verifying: interrupted; nothing was changed');
    const { damaged, ...report } = await verifyRepository(store, options, context).catch((error) => {
      throw readError(this.directory, error);
    });
    if (options.remember !== false) await this.#remember(damaged, context);
    return report;
  }

  prepareRun(): void {
    if (isEmptyLayout(this.#store)) this.#pool ??= new IngestPool();
  }

  async beginRun(options: RunOptions, context: Context): Promise<Run> {
    return this.#changes.begin('backup', async (stored) => {
      const known = await knownRepository(context.stateDir, stored);
      const repository = known ?? randomBytes(16).toString('hex');
      const store = storeSealingTo(options.recipients ?? [], this.#store, repository, this.#context.stateDir);
      const damaged = await expectDamage(context.stateDir, this.directory);
      const onEnd = () => this.#endWriting();
      const pool = this.#pool;
      this.#run = await beginRun({ ...options, store, repository, stored, damaged, pool, onEnd }, context);
      this.#pool = undefined;
      return this.#run;
    });
  }

  async remove(ids: readonly string[], context: Context): Promise<RemovalReport> {
    const { removeSnapshots } = await import('./prune/remove.ts');
    return this.#changes.alone('removing snapshots', async () => {
      await releaseReserve(this.directory);
      try {
        await recoverStaging(this.#store);
        const catalog = await loadEverySnapshot(this.#store);
        const store = await this.#storeToChange(catalog.stored, 'removing snapshots', context);
        return await removeSnapshots(store, catalog, new Set(ids), context);
      } finally {
        await keepReserve(this.directory).catch(() => {}); // There may be no room for it yet.
      }
    });
  }

  async repair(context: Context, options: RepairOptions = {}): Promise<RepairReport> {
    const { repairRepository } = await import('./repair/repair.ts');
    const { damaged, ...report } = await this.#changes.alone('repairing', async () => {
      const { stored } = await loadEverySnapshot(this.#store);
      const store = await this.#storeToChange(stored, 'repairing', context);
      return repairRepository(store, context, options);
    });
    await this.#remember(damaged, context);
    return report;
  }

  async outgoing(snapshot: Snapshot): Promise<Outgoing> {
    const { readOutgoing } = await import('./carry/outgoing.ts');
    return readOutgoing(this.#store, await this.#snapshots.stored(snapshot));
  }

  async beginIncoming(manifest: Buffer, trust: IncomingTrust, context: Context): Promise<Incoming> {
    const { beginIncoming } = await import('./carry/incoming.ts');
    return this.#changes.begin('taking in a snapshot', async (stored) => {
      const damaged = await expectDamagedBytes(context.stateDir, this.directory);
      const onEnd = () => this.#endWriting();
      return beginIncoming({ store: this.#store, stored, damaged, manifest, ...trust, onEnd });
    });
  }

  async close(): Promise<void> {
    await this.#run?.abandon();
    await this.#pool?.close();
    await this.#frames.close();
    this.#locks.release();
  }

  /** One that opens what this host remembers; what is done with it can be interrupted, and done again. */
  async #storeToChange(stored: readonly StoredSnapshot[], doing: string, context: Context): Promise<Store> {
    const store = await rememberingStore(this.#store, stored, this.#context.stateDir);
    return interruptibleStore(store, context, `${doing}: interrupted; run it again for the rest`);
  }

  /** What was found is to be told, whether it can be written down or not. */
  async #remember(damaged: DamagedBlobs, { stateDir, progress }: Context): Promise<void> {
    await recordDamage(stateDir, this.directory, damaged).catch((error: unknown) =>
      progress.warn(
        `the next backup will not know what is damaged: writing to ${stateDir}: ${messageOf(error)}`,
      ),
    );
  }

  #endWriting(): void {
    this.#run = undefined;
    this.#changes.end();
  }
}

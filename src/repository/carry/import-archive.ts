import { openArchive } from '../../archive/archive.ts';
import type { ArchiveInput } from '../../archive/input.ts';
import type { TarEntry } from '../../archive/tar/reader.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { counted } from '../../support/counted.ts';
import { DamagedError } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { Repository } from '../repository.ts';
import type { Provenance, TrustedKeys } from '../signed/provenance.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { blobOf, notExported, readAnnounced, readSmall } from './exported-entries.ts';
import type { Incoming } from './incoming.ts';
import { requireConfig, takeOrWarn } from './take-blob.ts';

/** What came of importing one archive. */
export interface ImportReport {
  snapshot: Snapshot;
  provenance: Provenance;
  /** The repository had it already; then only what it had lost was written. */
  existed: boolean;
  /** What the repository lacked. */
  added: { blobs: number; bytes: number };
  /** What could not be read of the archive, and is not in the repository; none unless `skipDamaged`. */
  missing: { blobs: number; bytes: number };
}

export interface ImportOptions {
  keys: TrustedKeys;
  /**
   * Take what is whole of an archive that is cut or damaged. The snapshot is then as one that lost something where it
   * lies.
   */
  skipDamaged?: boolean;
}

/**
 * Takes in the snapshot of an exported archive as it is read. Every blob is checked against its digest, those that the
 * repository has already too, before the manifest makes the snapshot visible.
 *
 * @throws {DamagedError} when it is not what `exportArchive` wrote. @throws {NotFoundError} when there is no such file
 * @throws {SignatureError} when it is not by whom it must be. @throws {LockedError} @throws {NoSpaceError}
 */
export async function importArchive(
  repository: Repository,
  input: ArchiveInput,
  { keys, skipDamaged = false }: ImportOptions,
  context: Context,
): Promise<ImportReport> {
  const what = typeof input === 'string' ? input : input.name;
  const archive = await openArchive(input, { signal: context.signal });
  const task = context.progress.begin(`importing ${what}`, { unit: 'bytes' });
  try {
    const entries = watched(archive.entries(), task);
    return await importEntries(repository, entries, { what, keys, skipDamaged }, context);
  } catch (error) {
    throw error instanceof DamagedError && error.advice === undefined ? damagedArchive(what, error) : error;
  } finally {
    await archive.close();
    task.end();
  }
}

function damagedArchive(what: string, cause: DamagedError): DamagedError {
  return new DamagedError(`importing ${what}: ${cause.message}`, {
    advice: 'Copy it again from where it came from, all volumes of it; --skip-damaged takes what is whole',
    facts: cause.facts,
    cause,
  });
}

async function* watched(entries: AsyncIterable<TarEntry>, task: ProgressTask): AsyncGenerator<TarEntry> {
  for await (const entry of entries) {
    yield { ...entry, content: () => counted(entry.content(), (bytes) => task.advance(bytes)) };
  }
}

interface Importing extends Required<ImportOptions> {
  /** The archive, for messages. */
  what: string;
}

async function importEntries(
  repository: Repository,
  entries: AsyncIterable<TarEntry>,
  importing: Importing,
  context: Context,
): Promise<ImportReport> {
  const { what, keys, skipDamaged } = importing;
  let incoming: Incoming | undefined;
  let announced: Digest | undefined;
  const unseen = new Map<Digest, number>();
  const warn = warnOfDamage(context);
  try {
    for await (const entry of skipDamaged ? untilDamaged(entries, warn) : entries) {
      context.signal.throwIfAborted();
      if (entry.kind === 'directory' || entry.path === 'oci-layout') continue;
      if (entry.path === 'index.json' && announced === undefined) {
        announced = await readAnnounced(entry, what);
      } else if (incoming === undefined) {
        const manifest = await readManifest(entry, announced, what);
        incoming = await repository.beginIncoming(manifest, { keys, mends: true }, context);
        for (const { digest, size } of incoming.needed) unseen.set(digest, size);
      } else {
        await takeOrWarn(entry, incoming, unseen, { ...importing, warn });
      }
    }
    if (incoming === undefined) throw notExported(what, 'it holds no snapshot');
    if (unseen.size > 0 && !skipDamaged)
      throw notExported(what, `${unseen.size} of the snapshot's blobs are not in it`);
    requireConfig(incoming, unseen, what);
    return await commit(incoming, unseen, skipDamaged);
  } finally {
    await incoming?.abandon();
  }
}

/** What can be read of an archive: nothing is known of what lies behind a place where it is no archive any more. */
async function* untilDamaged(
  entries: AsyncIterable<TarEntry>,
  warn: (error: unknown) => void,
): AsyncGenerator<TarEntry> {
  try {
    yield* entries;
  } catch (error) {
    warn(error);
  }
}

/** Where an archive ends too early, its last entry says so, and then the archive: it is told once. */
function warnOfDamage({ progress }: Context): (error: unknown) => void {
  const told = new Set<string>();
  return (error) => {
    if (!(error instanceof DamagedError)) throw error;
    if (!told.has(error.message)) progress.warn(error.message);
    told.add(error.message);
  };
}

async function commit(
  incoming: Incoming,
  unseen: ReadonlyMap<Digest, number>,
  damaged: boolean,
): Promise<ImportReport> {
  const { lacking, existing } = incoming;
  const missing = lacking.filter(({ digest }) => unseen.has(digest));
  const added = lacking.filter(({ digest }) => !unseen.has(digest));
  const committed = await incoming.commit({ damaged });
  return { ...committed, existed: existing !== undefined, added: sum(added), missing: sum(missing) };
}

function sum(blobs: readonly BlobRef[]): ImportReport['added'] {
  return { blobs: blobs.length, bytes: blobs.reduce((bytes, { size }) => bytes + size, 0) };
}

async function readManifest(entry: TarEntry, announced: Digest | undefined, what: string): Promise<Buffer> {
  if (announced === undefined)
    throw notExported(what, `${JSON.stringify(entry.path)} stands before index.json`);
  if (blobOf(entry, what) !== announced) throw notExported(what, 'its manifest does not follow index.json');
  return readSmall(entry, what, announced);
}

import { openArchive } from '../../archive/archive.ts';
import { type ArchiveInput, canBeReadAgain, groupInputs } from '../../archive/input.ts';
import { verifyVolumes } from '../../archive/volumes/reader.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Platform } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { withImagesLock } from '../lock.ts';
import { requireSigner, signedRelease } from '../signatures.ts';
import { loadOpened } from './archive-load.ts';

export interface LoadOptions {
  engine: Engine;
  catalog: Catalog;
  /** Which release the images belong to; else the bundle, else their common tag says it. */
  release?: string | undefined;
  /** Shell patterns of references; only images that match one are loaded. */
  select?: readonly string[] | undefined;
  /** Path of an allowed-signers file: only bundles that one of them signed are loaded. */
  signers?: string | undefined;
  /** Asked before an older release than the current one is loaded; throws when the answer is no. */
  confirm?: (question: string) => Promise<void>;
  /** Report what would be done, and do nothing. */
  planOnly?: boolean;
}

export interface LoadReport {
  archives: LoadedArchive[];
}

export interface LoadedArchive {
  archive: string;
  release: string;
  images: LoadedImage[];
  /** Tags that pointed at another image before. */
  moved: ReplacedTag[];
  /** Bytes of layers that the engine lacked and was sent. */
  sent: number;
}

export interface LoadedImage {
  references: string[];
  config: Digest;
  platform: Platform;
  /** The engine had it already. */
  present: boolean;
}

export interface ReplacedTag {
  reference: string;
  /** The engine's id of the image it pointed at. */
  from: string;
}

/**
 * Loads image archives, one after the other, and records their images in the catalog. An archive is loaded whole or not
 * at all: everything the engine lacks is verified before it is told to keep it, and what an engine did in spite of a
 * failure is undone.
 *
 * @throws {DamagedError} when bytes, digests or documents of an archive are wrong
 * @throws {UsageError} when an archive's format is not read, or its release cannot be told
 * @throws {NotFoundError} when there is no such file, a volume of a set is missing, or a delta's base is not here
 * @throws {SignatureError} when signers are asked for and an archive is not signed by one of them
 * @throws {NoSpaceError} when the engine has too little space for what would be sent
 * @throws {InterruptedError} when `context.signal` aborted; the engine is as before
 */
export async function loadImages(
  inputs: readonly ArchiveInput[],
  options: LoadOptions,
  context: Context,
): Promise<LoadReport> {
  return withImagesLock('images load', context, async () => {
    const archives: LoadedArchive[] = [];
    const grouped = await groupInputs(inputs);
    if (grouped.length > 1) await requireSigners(grouped, options, context);
    for (const input of grouped) archives.push(await loadArchive(input, options, context));
    return { archives };
  });
}

/** Of several files none is loaded when one of them is not trusted. What can be read only once is asked in its turn. */
async function requireSigners(
  inputs: readonly ArchiveInput[],
  { signers }: LoadOptions,
  { signal }: Context,
): Promise<void> {
  if (signers === undefined) return;
  for (const input of inputs) {
    if (!(await canBeReadAgain(input))) continue;
    const archive = await openArchive(input, { signal });
    try {
      await requireSigner(await signedRelease(archive), signers, archive.name);
    } finally {
      await archive.close();
    }
  }
}

async function loadArchive(
  input: ArchiveInput,
  options: LoadOptions,
  context: Context,
): Promise<LoadedArchive> {
  const name = typeof input === 'string' ? input : input.name;
  const task = context.progress.begin(`loading ${name}`, { unit: 'bytes' });
  try {
    const archive = await openArchive(input, {
      onRead: (bytes) => task.advance(bytes),
      signal: context.signal,
      now: context.now,
    });
    try {
      return await loadOpened(archive, options, context, task);
    } finally {
      await archive.close();
    }
  } catch (error) {
    // Which of the volumes to copy again is of more use than what in the archive is wrong because of it.
    if (error instanceof DamagedError && typeof input !== 'string' && 'volumes' in input)
      await verifyVolumes(input);
    throw error;
  } finally {
    task.end();
  }
}

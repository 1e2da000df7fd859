import { dirname } from 'node:path';
import { type SaveTarget, writeTo } from '../releases/save/target.ts';
import { fileTooLarge } from '../releases/save/write-failure.ts';
import { type ExportFormat, exportArchive } from '../repository/carry/export-archive.ts';
import { exportImageBundle, wholeImagesOf } from '../repository/carry/image-bundle.ts';
import type { WholeImages } from '../repository/carry/whole-images.ts';
import type { ReadableRepository, Repository } from '../repository/repository.ts';
import { shortId } from '../repository/snapshot/short-id.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import type { Context } from '../support/context.ts';
import {
  codeOf,
  FailedError,
  InterruptedError,
  isDiskFull,
  isOfSystem,
  messageOf,
  NoSpaceError,
} from '../support/errors.ts';
import { systemAdvice } from '../support/system-advice.ts';

/** Where an export goes, and how it is compressed. */
export interface ExportRequest {
  target: SaveTarget;
  format: ExportFormat;
  level?: number | undefined;
}

/** What an export wrote. */
export interface ExportReport {
  /** Id of the snapshot. */
  snapshot: string;
  /** Paths that were written; none for a stream. */
  files: string[];
  /** Bytes of the archive. */
  size: number;
}

export interface ImageExportReport extends ExportReport {
  /** Images that are not in it, for something of them is damaged. */
  lost: WholeImages['lost'];
}

/**
 * Writes one snapshot as an archive that holds all of it. A file, or a set of volumes, has its name only when it is
 * whole.
 *
 * @throws {DamagedError} when the repository is damaged there. @throws {NoSpaceError} @throws {InterruptedError}
 */
export async function exportSnapshot(
  repository: Repository,
  snapshot: Snapshot,
  request: ExportRequest,
  context: Context,
): Promise<ExportReport> {
  const outgoing = await repository.outgoing(snapshot);
  const { format, level } = request;
  return write(exportArchive(outgoing, format, level), snapshot, request, context);
}

/**
 * Writes the images of a snapshot as a bundle, in the same way; with `skipDamaged` those that are whole, and tells of
 * the others.
 *
 * @throws {NotFoundError} when it holds none. @throws {SignatureError} when no key opens it; else as `exportSnapshot`
 */
export async function exportImages(
  repository: ReadableRepository,
  snapshot: Snapshot,
  { skipDamaged = false, ...request }: ExportRequest & { skipDamaged?: boolean },
  context: Context,
): Promise<ImageExportReport> {
  const { format, level } = request;
  const whole = skipDamaged ? await wholeImagesOf(repository, snapshot, context) : undefined;
  const bundle = exportImageBundle(repository, snapshot, format, level, whole);
  return { ...(await write(bundle, snapshot, request, context)), lost: whole?.lost ?? [] };
}

async function write(
  bytes: AsyncIterable<Uint8Array>,
  snapshot: Snapshot,
  { target }: ExportRequest,
  context: Context,
): Promise<ExportReport> {
  try {
    const written = await writeTo(target, bytes, 'exporting', context);
    return { snapshot: snapshot.id, ...written };
  } catch (error) {
    throw context.signal.aborted ? interrupted(error) : refused(error, snapshot, target);
  }
}

function interrupted(cause: unknown): InterruptedError {
  return new InterruptedError('exporting a snapshot was interrupted: nothing was written', { cause });
}

/** By the disk that it goes to. */
function refused(cause: unknown, { id }: Snapshot, target: SaveTarget): unknown {
  const place = target.kind === 'stream' ? 'standard output' : target.path;
  const doing = `exporting snapshot ${shortId(id)} to ${place}`;
  if (codeOf(cause) === 'EFBIG' && target.kind !== 'stream')
    return fileTooLarge(doing, dirname(target.path), cause);
  if (isDiskFull(cause)) {
    return new NoSpaceError(`${doing}: the disk is full`, {
      advice:
        'Free some space there, or name another place with -o; --split makes volumes that several small disks can take',
      cause,
    });
  }
  if (target.kind === 'stream' || !isOfSystem(cause)) return cause;
  return new FailedError(`${doing}: ${messageOf(cause)}`, { ...systemAdvice(cause), cause });
}

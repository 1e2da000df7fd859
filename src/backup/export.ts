import { type SaveTarget, writeTo } from '../releases/save-target.ts';
import { type ExportFormat, exportArchive } from '../repository/carry/export-archive.ts';
import type { Repository, Snapshot } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import { codeOf, InterruptedError, NoSpaceError } from '../support/errors.ts';

export interface ExportRequest {
  target: SaveTarget;
  format: ExportFormat;
  level?: number | undefined;
}

export interface ExportReport {
  /** Id of the snapshot. */
  snapshot: string;
  /** Paths that were written; none for a stream. */
  files: string[];
  /** Bytes of the archive. */
  size: number;
}

/**
 * Writes one snapshot as an archive that holds all of it. A file, or a set of volumes, has its name only when it is whole.
 *
 * @throws {DamagedError} when the repository is damaged there. @throws {NoSpaceError} @throws {InterruptedError}
 */
export async function exportSnapshot(
  repository: Repository,
  snapshot: Snapshot,
  { target, format, level }: ExportRequest,
  { progress, signal }: Context,
): Promise<ExportReport> {
  const outgoing = await repository.outgoing(snapshot);
  const task = progress.begin('exporting', { unit: 'bytes' });
  let size = 0;
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const piece of exportArchive(outgoing, format, level)) {
      signal.throwIfAborted();
      size += piece.length;
      task.advance(piece.length);
      yield piece;
    }
  }
  try {
    const files = await writeTo(target, watched());
    return { snapshot: snapshot.id, files, size };
  } catch (error) {
    throw signal.aborted ? interrupted(error) : noSpace(error);
  } finally {
    task.end();
  }
}

function interrupted(cause: unknown): InterruptedError {
  return new InterruptedError('exporting a snapshot was interrupted: nothing was written', { cause });
}

function noSpace(cause: unknown): unknown {
  if (codeOf(cause) !== 'ENOSPC' && codeOf(cause) !== 'EDQUOT') return cause;
  return new NoSpaceError('exporting a snapshot: the disk is full', {
    advice: 'Free some space, or write volumes to several disks with --split',
    cause,
  });
}

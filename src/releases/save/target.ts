import { type FileHandle, lstat, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writeVolumes } from '../../archive/volumes/writer.ts';
import type { Context } from '../../support/context.ts';
import { replaceDurably, sweepTemporaries } from '../../support/durable.ts';
import { codeOf, FailedError, NotFoundError, UsageError } from '../../support/errors.ts';

/** Where an archive goes. */
export type SaveTarget =
  | { kind: 'file'; path: string }
  | { kind: 'volumes'; path: string; limit: number }
  | { kind: 'stream'; stream: Writable };

/**
 * Writes an archive to where it goes. A file or a set of volumes has its name only when it is whole and on disk; what
 * one that was killed left beside it long ago goes.
 * @param title of what is under way, for progress
 * @returns the paths that were written, none for a stream, and how many bytes there were
 * @throws the reason of `signal` when that aborts
 */
export async function writeTo(
  target: SaveTarget,
  bytes: AsyncIterable<Uint8Array>,
  title: string,
  { progress, signal, now }: Context,
): Promise<{ files: string[]; size: number }> {
  const task = progress.begin(title, { unit: 'bytes' });
  let size = 0;
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      signal.throwIfAborted();
      size += piece.length;
      task.advance(piece.length);
      yield piece;
    }
  }
  try {
    if (target.kind !== 'stream') await sweepTemporaries(target.path, now()).catch(() => {});
    return { files: await write(target, watched()), size };
  } finally {
    task.end();
  }
}

async function write(target: SaveTarget, bytes: AsyncIterable<Uint8Array>): Promise<string[]> {
  switch (target.kind) {
    case 'stream':
      await pipeline(bytes, target.stream, { end: false }).catch(refuseEarlyEnd);
      return [];
    case 'volumes':
      return await writeVolumes(target.path, target.limit, bytes);
    case 'file':
      await replaceDurably(target.path, 0o600, async (file) => {
        await writeThrough(file, bytes);
      });
      return [target.path];
  }
}

/** What reads an archive has nothing before it has all of it. */
function refuseEarlyEnd(cause: unknown): never {
  if (codeOf(cause) !== 'EPIPE') throw cause;
  throw new FailedError('writing an archive to standard output: its reader ended before it had all of it', {
    advice: 'See why the program behind the pipe ended, and do it again',
    cause,
  });
}

/** So much may wait in memory to be put on the disk. */
const unsyncedBytes = 32 << 20;

/**
 * Writes while the system puts what was written before on the disk: the end comes sooner, and progress shows how fast a
 * slow stick takes it.
 */
async function writeThrough(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let syncing = Promise.resolve();
  let unsynced = 0;
  try {
    for await (const piece of bytes) {
      await file.writeFile(piece);
      unsynced += piece.length;
      if (unsynced < unsyncedBytes) continue;
      await syncing;
      syncing = file.datasync();
      syncing.catch(() => {}); // It is awaited in its turn.
      unsynced = 0;
    }
    await syncing;
  } finally {
    await syncing.catch(() => {}); // The file is closed next.
  }
}

/**
 * Makes sure that a file can be written at `path` later on, and follows a link that is there.
 * @throws {UsageError} when what is there is no regular file
 * @throws {NotFoundError} when its directory does not exist
 */
export async function writablePath(path: string): Promise<string> {
  const absolute = resolve(path);
  const found = await lstat(absolute).catch(() => undefined);
  const target = found?.isSymbolicLink() ? await realpath(absolute) : absolute;
  const kind = found?.isSymbolicLink() ? await lstat(target) : found;
  if (kind !== undefined && !kind.isFile()) {
    throw new UsageError(`${path}: is not a regular file, which could be replaced`, {
      advice: 'Give another path, or -o - and send standard output there',
    });
  }
  await lstat(dirname(target)).catch((cause: unknown) => {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new NotFoundError(`${path}: its directory does not exist`, { cause });
  });
  return target;
}

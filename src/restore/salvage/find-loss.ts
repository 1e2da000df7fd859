import type { Entry } from '../../repository/entry.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { isWithin } from '../../repository/tree/path-range.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { Loss } from './loss.ts';
import { readableTree } from './readable-tree.ts';

/**
 * Reads a source through, the content of every file with it, and finds what is lost; `undefined` when nothing is.
 * @param roots paths at which the trees of the source begin
 * @throws {SignatureError} when it is sealed and no key is at hand
 */
export async function findLoss(
  repository: ReadableRepository,
  snapshot: Snapshot,
  { name, title, bytes }: SourceSummary,
  roots: readonly string[],
  context: Context,
): Promise<Loss | undefined> {
  const readable = { files: 0, bytes: 0 };
  const loss: Loss = { roots, ranges: [], files: new Map(), directories: [], readable, isNothingLeft: true };
  const listener = {
    onGap: ({ after, before }: Loss['ranges'][number]) => void loss.ranges.push({ after, before }),
    onDirectory: (path: string) => void loss.directories.push(path),
  };
  const task = context.progress.begin(`reading ${title} through`, { unit: 'bytes', total: bytes });
  try {
    for await (const entry of readableTree(repository, snapshot, name, roots, listener)) {
      context.signal.throwIfAborted();
      const reason = await reasonOfLoss(repository, snapshot, entry, loss, task);
      if (reason === undefined) count(loss, entry);
      else loss.files.set(entry.path, reason);
    }
  } finally {
    task.end();
  }
  return loss.ranges.length + loss.files.size === 0 ? undefined : loss;
}

async function reasonOfLoss(
  repository: ReadableRepository,
  snapshot: Snapshot,
  entry: Entry,
  { ranges, files }: Loss,
  task: ProgressTask,
): Promise<string | undefined> {
  const { hardlink } = entry;
  if (hardlink !== undefined) {
    const isLost = files.has(hardlink) || ranges.some((range) => isWithin(hardlink, range));
    return isLost ? 'the file that it is another name of is lost' : undefined;
  }
  try {
    for await (const piece of repository.content(snapshot, entry, { lent: true })) task.advance(piece.length);
    return undefined;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return messageOf(error.cause ?? error);
  }
}

function count(loss: Loss, { type, size = 0, hardlink, holes = [] }: Entry): void {
  loss.isNothingLeft = false;
  if (type !== 'file') return;
  loss.readable.files++;
  if (hardlink === undefined) loss.readable.bytes += holes.reduce((rest, [, length]) => rest - length, size);
}

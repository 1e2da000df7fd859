import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../repository/entry.ts';
import type { SourceWriter } from '../repository/repository.ts';
import { codeOf } from '../support/errors.ts';
import type { ProgressTask } from '../support/progress.ts';
import { describeFile } from './describe-file.ts';
import { HardLinks } from './hard-links.ts';
import { PreviousEntries } from './previous-entries.ts';
import type { ProblemLog } from './problem-log.ts';
import type { Changes } from './report.ts';
import { TreeQueue } from './tree-queue.ts';
import { isUnchanged } from './unchanged.ts';
import type { Seen } from './walk/walk.ts';

export interface TreeOptions {
  problems: ProblemLog;
  /** See `isUnchanged`. */
  trustedBefore: bigint;
  task: ProgressTask;
  signal: AbortSignal;
}

/**
 * Saves what a walk sees: merge-joined with the previous snapshot's tree, so that only what changed is read, and
 * nothing is kept in memory but what is being read.
 *
 * @param walk in parts, each of which is looked through before the next is asked for
 */
export async function storeTree(
  walk: AsyncIterable<Iterable<Seen>> | Iterable<Iterable<Seen>>,
  writer: SourceWriter,
  { problems, trustedBefore, task, signal }: TreeOptions,
): Promise<Changes> {
  const previous = new PreviousEntries(writer.previous());
  const queue = new TreeQueue(writer, problems);
  const links = new HardLinks();
  const changes: Changes = { added: 0, changed: 0, removed: 0 };
  let files = 0;
  try {
    for await (const part of walk) {
      for (const seen of part) {
        if (++files % 512 === 0) await setImmediate();
        signal.throwIfAborted();
        task.advance(seen.stat.type === 'file' ? seen.stat.size : 0);
        const before = await previous.at(seen.path);
        const link = links.firstPathOf(seen.stat, seen.path);
        if (before !== undefined && canBeReused(before, seen, link, writer, trustedBefore)) {
          await queue.add(seen, before);
        } else {
          changes[before === undefined ? 'added' : 'changed']++;
          await storeAnew(seen, link, queue, problems);
        }
      }
    }
    await queue.flush();
    await previous.finish();
  } catch (error) {
    await queue.abandon();
    throw error;
  } finally {
    await previous.close();
  }
  return { ...changes, removed: previous.removed };
}

function canBeReused(
  before: Entry,
  { stat }: Seen,
  link: string | undefined,
  writer: SourceWriter,
  trustedBefore: bigint,
): boolean {
  if (!isUnchanged(stat, before, trustedBefore) || before.hardlink !== link) return false;
  return stat.type !== 'file' || link !== undefined || writer.has(before);
}

async function storeAnew(
  seen: Seen,
  link: string | undefined,
  queue: TreeQueue,
  problems: ProblemLog,
): Promise<void> {
  let entry: Entry;
  try {
    entry = describeFile(seen);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return problems.unreadable(seen.path, code);
  }
  if (link !== undefined) await queue.add(seen, { ...entry, hardlink: link });
  else if (entry.type === 'file') await queue.read(seen, entry);
  else await queue.add(seen, entry);
}

import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../../repository/entry.ts';
import type { PreviousFile, SourceWriter } from '../../repository/run/run.ts';
import { codeOf } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { Changes } from '../report.ts';
import type { Seen } from '../walk/walk.ts';
import { describeByStat, describeFile } from './describe-file.ts';
import { HardLinks } from './hard-links.ts';
import { PreviousFiles } from './previous-files.ts';
import type { ProblemLog } from './problem-log.ts';
import { TreeQueue } from './tree-queue.ts';
import { isUnchanged } from './unchanged.ts';

export interface TreeOptions {
  problems: ProblemLog;
  /** See `isUnchanged`. */
  trustedBefore: bigint;
  task: ProgressTask;
  signal: AbortSignal;
}

/** After so many files others get their turn: signals, progress, threads with something to ask. */
const filesPerTurn = 512;

/**
 * Saves what a walk sees: merge-joined with the previous snapshot's tree, so that only what changed is read, and
 * nothing is kept in memory but what is being read.
 */
export async function storeTree(
  walk: Iterable<Seen>,
  writer: SourceWriter,
  { problems, trustedBefore, task, signal }: TreeOptions,
): Promise<Changes> {
  const previous = new PreviousFiles(writer.previous());
  const queue = new TreeQueue(writer, problems);
  const links = new HardLinks();
  const changes: Changes = { added: 0, changed: 0, removed: 0 };
  let files = 0;
  try {
    for (const seen of walk) {
      if (++files % filesPerTurn === 0) {
        await setImmediate();
        await queue.advance();
      }
      signal.throwIfAborted();
      task.advance(seen.stat.type === 'file' ? seen.stat.size : 0);
      while (previous.endsBefore(seen.path)) await previous.readOn();
      const before = previous.take(seen.path);
      const link = links.firstPathOf(seen.stat, seen.path);
      const isKept = before !== undefined && canBeKept(before, seen, link, writer, trustedBefore);
      if (!isKept) changes[before === undefined ? 'added' : 'changed']++;
      const stored = isKept ? queue.keep(seen, before) : storeAnew(seen, link, { queue, links, problems });
      if (stored !== undefined) await stored;
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

function canBeKept(
  before: PreviousFile,
  { stat }: Seen,
  link: string | undefined,
  writer: SourceWriter,
  trustedBefore: bigint,
): boolean {
  if (!isUnchanged(stat, link, before, trustedBefore)) return false;
  return stat.type !== 'file' || link !== undefined || writer.has(before);
}

function storeAnew(
  seen: Seen,
  link: string | undefined,
  { queue, links, problems }: { queue: TreeQueue; links: HardLinks; problems: ProblemLog },
): Promise<void> | undefined {
  if (seen.stat.type === 'file' && link === undefined) return queue.read(seen, describeByStat(seen));
  let entry: Entry;
  try {
    entry = describeFile(seen);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (link === undefined) links.forget(seen.stat);
    problems.unreadable(seen.path, code);
    return undefined;
  }
  return queue.add(seen, link === undefined ? entry : { ...entry, hardlink: link });
}

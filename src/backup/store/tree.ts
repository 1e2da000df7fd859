import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../../repository/entry.ts';
import type { PreviousFile, SourceWriter } from '../../repository/run/run.ts';
import { codeOf } from '../../support/errors.ts';
import type { Stat } from '../../support/posix/stat.ts';
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
  const changes: Changes = { added: 0, changed: 0, removed: 0 };
  const queue = new TreeQueue(writer, problems, changes);
  const links = new HardLinks();
  let files = 0;
  try {
    for (const seen of walk) {
      if (++files % filesPerTurn === 0) {
        await setImmediate();
        await queue.advance();
      }
      signal.throwIfAborted();
      while (previous.endsBefore(seen.path)) await previous.readOn();
      const before = previous.take(seen.path);
      const link = links.firstPathOf(seen.stat, seen.path);
      task.advance(link === undefined ? bytesToRead(seen.stat) : 0);
      const isKept = before !== undefined && canBeKept(before, seen, link, writer, trustedBefore);
      const known = before !== undefined;
      const stored = isKept
        ? queue.keep(seen, before)
        : storeAnew(seen, { link, known }, { queue, links, problems, changes });
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
  return { ...changes, removed: changes.removed + previous.removed };
}

/** Holes are not read, and are no part of the total that the last run tells. */
function bytesToRead({ type, size, blocks }: Stat): number {
  return type === 'file' ? Math.min(size, blocks * 512) : 0;
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

interface Store {
  queue: TreeQueue;
  links: HardLinks;
  problems: ProblemLog;
  changes: Changes;
}

function storeAnew(
  seen: Seen,
  { link, known }: { link: string | undefined; known: boolean },
  { queue, links, problems, changes }: Store,
): Promise<void> | undefined {
  if (seen.stat.type === 'file' && link === undefined)
    return queue.read({ seen, entry: describeByStat(seen), known });
  let entry: Entry;
  try {
    entry = describeFile(seen);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (link === undefined) links.forget(seen.stat);
    problems.unreadable(seen.path, code);
    if (known) changes.removed++;
    return undefined;
  }
  return queue.add({ seen, entry: link === undefined ? entry : { ...entry, hardlink: link }, known });
}

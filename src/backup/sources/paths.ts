import { basename, dirname } from 'node:path';
import type { FileFilter, PathsSource } from '../../deployment/backup-settings.ts';
import { comparePaths } from '../../repository/entry.ts';
import { fromText } from '../../support/posix/byte-path.ts';
import { currentDirectory, statAt } from '../../support/posix/stat.ts';
import type { Changes } from '../report.ts';
import { ProblemLog } from '../store/problem-log.ts';
import type { SourceJob } from '../store/source-job.ts';
import { storeTree } from '../store/tree.ts';
import { type WalkOptions, type WalkRoot, walkAll } from '../walk/walk.ts';
import { warnIfManyFewer } from './plausible-size.ts';

/** Saves files and directories of this host, under their absolute paths. */
export async function storePaths(source: PathsSource, job: SourceJob): Promise<Changes> {
  const roots = source.paths.map(rootAt).sort((a, b) => comparePaths(a.path, b.path));
  const problems = new ProblemLog(job.writer, '/');
  for (const root of roots) warnOfLink(root, problems, job);
  return storeRoots(source.paths.join(', '), roots, source.filter, problems, job);
}

/** Saves what lies under `roots`, given in the order of their paths in the tree; `what` is what people call it. */
export async function storeRoots(
  what: string,
  roots: readonly WalkRoot[],
  filter: FileFilter,
  problems: ProblemLog,
  job: SourceJob,
): Promise<Changes> {
  const onProblem: WalkOptions['onProblem'] = (problem) => problems.inWalk(problem);
  const options = { ...filter, neverEnter: job.neverEnter, onProblem };
  let [found, files] = [0, 0];
  const seen = watching(walkAll(roots, options), ({ stat }) => {
    found++;
    if (stat.type === 'file') files++;
  });
  const changes = await storeTree(seen, job.writer, {
    problems,
    trustedBefore: job.trustedBefore,
    task: job.task,
    signal: job.context.signal,
  });
  if (filter.include.length > 0 && found > 0 && found <= roots.length)
    problems.fail('nothing that is there matches include');
  else if (found > 0) warnIfManyFewer(what, files, job);
  problems.finish();
  return changes;
}

function* watching<T>(items: Iterable<T>, watch: (item: T) => void): Generator<T> {
  for (const item of items) {
    watch(item);
    yield item;
  }
}

function rootAt(text: string): WalkRoot {
  const path = fromText(text).replace(/(?<=.)\/+$/, '');
  if (path === '/') return { path: '.', parent: '/', name: '.' };
  return { path: path.slice(1), parent: dirname(path), name: basename(path) };
}

/**
 * What it points at would silently be missing from every snapshot: nobody reads the summary of a night that went well.
 */
function warnOfLink({ parent, name, path }: WalkRoot, problems: ProblemLog, { context }: SourceJob): void {
  try {
    if (statAt(currentDirectory, `${parent}/${name}`).type !== 'symlink') return;
  } catch {
    return; // The walk tells why it cannot be read.
  }
  context.progress.warn(problems.isLink(path));
}

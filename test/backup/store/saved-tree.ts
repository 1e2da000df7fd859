import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ProblemLog } from '../../../src/backup/store/problem-log.ts';
import { storeTree } from '../../../src/backup/store/tree.ts';
import { type Seen, walk } from '../../../src/backup/walk/walk.ts';
import { silent } from '../../../src/support/progress.ts';
import { MemoryWriter } from '../../support/memory-writer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
/** No file is too fresh to be trusted. */
export const always = 2n ** 62n;

export interface Saved {
  writer: MemoryWriter;
  changes: { added: number; changed: number; removed: number };
  complete: boolean;
}

/** Saves the directory `root` in `parent`, compared with what `previous` holds. */
export async function save(
  parent: string,
  writer = new MemoryWriter(),
  trustedBefore = always,
  watch = (seen: Iterable<Seen>) => seen,
  task = silent.begin(''),
): Promise<Saved> {
  const problems = new ProblemLog(writer, '/');
  const seen = walk(
    { path: 'root', parent, name: 'root' },
    {
      include: [],
      exclude: [],
      oneFileSystem: false,
      excludeCaches: false,
      neverEnter: new Set(),
      onProblem: (problem) => problems.inWalk(problem),
    },
  );
  const { signal } = new AbortController();
  const changes = await storeTree(watch(seen), writer, { problems, trustedBefore, task, signal });
  problems.finish();
  // The kernel's clock for files stands still for up to 10 ms: what is changed from now on has another time.
  await setTimeout(20);
  return { writer, changes, complete: writer.complete };
}

export function parentWith(files: Record<string, string>): string {
  const parent = mkdtempSync(join(directory, 'tree-'));
  mkdirSync(join(parent, 'root'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(parent, 'root', name), content);
  return parent;
}

export function entry({ writer }: Saved, path: string) {
  const found = writer.entries.find((one) => one.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

export function contentOf(saved: Saved, path: string): string {
  const chunks = entry(saved, path).chunks ?? [];
  return Buffer.concat(chunks.map((chunk) => saved.writer.chunks.get(chunk)!)).toString();
}

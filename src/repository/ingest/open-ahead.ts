import { constants } from 'node:fs';
import { codeOf } from '../../support/errors.ts';
import { fetchSoon } from '../../support/posix/fetch.ts';
import { closeFile, openAt } from '../../support/posix/open.ts';
import { chunkLimits } from '../chunks/gear.ts';
import type { FileToStore } from '../run/run.ts';

/** A file whose turn has come. Who is given it closes it. */
export interface OpenFile {
  file: FileToStore;
  handle: number;
}

/**
 * So many files are open at a time. At night nothing is in memory, and a disk that has one small file to fetch at a
 * time does nothing but answer; with many more in its queue, the customers' own would wait behind them.
 */
const filesAhead = 16;

/** Opens files before their turn, never through a link, and has their content fetched meanwhile. */
export function* openAhead(files: Iterable<FileToStore>): Generator<OpenFile | { error: string }> {
  const ahead: (OpenFile | { error: string })[] = [];
  try {
    for (const file of files) {
      ahead.push(open(file));
      if (ahead.length === filesAhead) yield ahead.shift()!;
    }
    while (ahead.length > 0) yield ahead.shift()!;
  } finally {
    for (const left of ahead) if ('handle' in left) closeFile(left.handle);
  }
}

function open(file: FileToStore): OpenFile | { error: string } {
  try {
    const handle = openWithoutTrace(file);
    // The kernel sees by itself that a large file is read on and on.
    if (file.size > 0) fetchSoon(handle, Math.min(file.size, chunkLimits.minimum));
    return { file, handle };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { error: code };
  }
}

/** Without touching the access time where that is allowed: only for the file's owner and root. */
function openWithoutTrace({ directory, name }: FileToStore): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    return openAt(directory, name, flags | constants.O_NOATIME);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    return openAt(directory, name, flags);
  }
}

import type { Entry } from '../../repository/entry.ts';
import { type AsRead, replaced, type SourceWriter, type StoredFile } from '../../repository/run/run.ts';
import { codeOf } from '../../support/errors.ts';
import { statAt } from '../../support/posix/stat.ts';
import type { Changes } from '../report.ts';
import type { Seen } from '../walk/walk.ts';
import { describeFile } from './describe-file.ts';
import type { ProblemLog } from './problem-log.ts';

/** A file on its way into the tree. */
export interface Coming {
  seen: Seen;
  entry: Entry;
  /** The previous tree has a file of that path. */
  known: boolean;
}

/**
 * Brings files into the tree once they were read, whatever became of them since the walk saw them, and counts what
 * changed by that: what cannot be read is no change that comes again with every run.
 */
export class EntryFinisher {
  readonly #writer: SourceWriter;
  readonly #problems: ProblemLog;
  readonly #changes: Changes;
  /** For hard links whose first name could not be saved as what was linked: the name that took its place. */
  readonly #standIns = new Map<string, string | undefined>();

  constructor(writer: SourceWriter, problems: ProblemLog, changes: Changes) {
    this.#writer = writer;
    this.#problems = problems;
    this.#changes = changes;
  }

  /** @param result of reading it, if it had to be read */
  finish(coming: Coming, result: StoredFile | undefined): Promise<void> | undefined {
    if (result !== undefined) return this.#finishRead(coming, result);
    const { hardlink } = coming.entry;
    return hardlink === undefined ? this.#add(coming, coming.entry) : this.#finishLink(coming, hardlink);
  }

  #add({ known }: Coming, entry: Entry): Promise<void> | undefined {
    this.#changes[known ? 'changed' : 'added']++;
    return this.#writer.add(entry);
  }

  #finishRead(coming: Coming, result: StoredFile): Promise<void> | undefined {
    const isSmooth = !('error' in result) && result.flag === undefined;
    if (isSmooth) return this.#add(coming, withContent(coming.seen, coming.entry, result));
    return this.#finishTroubled(coming, result);
  }

  async #finishTroubled(coming: Coming, first: StoredFile): Promise<void> {
    const { seen, entry } = coming;
    const { result, entry: current } = await this.#readAgainIfReplaced(seen, entry, first);
    if (seen.stat.links > 1 && !isOf(seen, result)) this.#standIns.set(entry.path, undefined);
    if (result === undefined) return this.#add(coming, current);
    if ('error' in result) return this.#lose(coming, result.error);
    if (result.flag !== undefined) this.#problems.changing(entry.path);
    await this.#add(coming, withContent(seen, current, result));
  }

  async #finishLink(coming: Coming, target: string): Promise<void> {
    const { seen, entry } = coming;
    if (!this.#standIns.has(target)) return this.#add(coming, entry);
    const standIn = this.#standIns.get(target);
    if (standIn !== undefined) return this.#add(coming, { ...entry, hardlink: standIn });
    const { hardlink: _, ...alone } = entry;
    const [result] = await this.#writer.storeFiles([fileToStore(seen)]);
    await this.#finishRead({ ...coming, entry: alone }, result ?? { error: 'EIO' });
    if (result !== undefined && !('error' in result)) this.#standIns.set(target, entry.path);
  }

  /** It will not be in the tree. */
  #lose({ entry, known }: Coming, error: string): void {
    this.#problems.unreadable(entry.path, error);
    if (known) this.#changes.removed++;
  }

  /**
   * A file that another took the place of, as editors and `rename` do, is saved as what it is now. There is no result
   * for what has no content.
   */
  async #readAgainIfReplaced(
    seen: Seen,
    entry: Entry,
    first: StoredFile,
  ): Promise<{ entry: Entry; result: StoredFile | undefined }> {
    let found: Found = { seen, entry };
    let result = first;
    for (let attempt = 0; attempt < 3 && wasReplaced(result); attempt++) {
      const now = lookAgain(seen);
      if ('error' in now) return { entry, result: now };
      if (now.entry.type !== 'file') return { entry: now.entry, result: undefined };
      found = now;
      result = (await this.#writer.storeFiles([fileToStore(found.seen)]))[0] ?? result;
    }
    return { entry: found.entry, result };
  }
}

interface Found {
  seen: Seen;
  entry: Entry;
}

/** Whether what was read is the file that the walk saw, and no other that took its place. */
function isOf({ stat }: Seen, result: StoredFile | undefined): boolean {
  if (result === undefined || 'error' in result) return false;
  return result.asRead === undefined || result.asRead.inode === Number(stat.inode);
}

/** As far as reading can tell: by a link that is not followed, or on a server of which this host does not hear at once. */
function wasReplaced(result: StoredFile): boolean {
  return 'error' in result && [replaced, 'ELOOP', 'ESTALE'].includes(result.error);
}

/** What reading a file needs to know of it. */
export function fileToStore({ parent, name, stat }: Seen) {
  const { device, inode, size, blocks, ctime } = stat;
  return { directory: parent.descriptor, name, device, inode: Number(inode), size, blocks, ctime };
}

/** A directory cannot be saved in a file's place: the walk has gone on. */
function lookAgain(seen: Seen): Found | { error: string } {
  try {
    const now = { ...seen, stat: statAt(seen.parent.descriptor, seen.name) };
    if (now.stat.type === 'directory' || now.stat.type === 'socket') return { error: replaced };
    return { seen: now, entry: describeFile(now) };
  } catch (error) {
    return { error: codeOf(error) ?? 'EIO' };
  }
}

/**
 * Completes the entry as it was when its content was read. If the file was touched since the walk saw it, owner, mode
 * and attributes are taken anew; if it was touched even after the reading, its ctime is left out, and the next run
 * reads it again.
 */
function withContent(seen: Seen, entry: Entry, stored: Exclude<StoredFile, { error: string }>): Entry {
  const { chunks, size, holes, xattrs, asRead, flag } = stored;
  const current = asRead === undefined ? entry : entryAsRead(seen, entry, asRead);
  current.chunks = chunks;
  current.size = size;
  if (holes !== undefined) current.holes = holes;
  if (xattrs !== undefined) current.xattrs = xattrs;
  if (flag !== undefined) current.flag = flag;
  return current;
}

function entryAsRead(seen: Seen, entry: Entry, { mtime, ctime, inode }: AsRead): Entry {
  const current = ctime === entry.ctime ? entry : freshMetadata(seen, entry, ctime);
  return Object.assign(current, { mtime, inode });
}

function freshMetadata(seen: Seen, entry: Entry, ctime: bigint): Entry {
  const now = lookAgain(seen);
  if (!('error' in now) && now.entry.ctime === ctime) return now.entry;
  const { ctime: _, ...undated } = entry;
  return undated;
}

import type { Entry } from '../repository/entry.ts';
import type { PreviousFile, SourceWriter, StoredFile } from '../repository/repository.ts';
import { codeOf } from '../support/errors.ts';
import { statAt } from '../support/posix/stat.ts';
import { describeFile } from './describe-file.ts';
import type { ProblemLog } from './problem-log.ts';
import type { Seen } from './walk/walk.ts';

/** Files are handed over for reading in batches, so many at a time and so many bytes; more batches wait than are read. */
const batchFiles = 128;
const batchBytes = 32 * 1024 * 1024;
const batchItems = 4096;
const batchesInFlight = 3;

interface Batch {
  items: Item[];
  toRead: Seen[];
  bytes: number;
  results: Promise<StoredFile[]>;
  /** There are results, or none to wait for. */
  isDone: boolean;
}

/** What is kept, or an entry; if `isRead`, its content is among the batch's results. */
type Item = { seen: Seen } & ({ kept: PreviousFile } | { entry: Entry; isRead: boolean });

/**
 * Brings entries into the tree in the order they are given, while the content of many is still being read. The
 * directories of waiting files are held open; how many wait is bounded.
 */
export class TreeQueue {
  readonly #writer: SourceWriter;
  readonly #problems: ProblemLog;
  readonly #inFlight: Batch[] = [];
  #open = emptyBatch();
  /** For hard links whose first name could not be read: the name that took its place. */
  readonly #standIns = new Map<string, string | undefined>();

  constructor(writer: SourceWriter, problems: ProblemLog) {
    this.#writer = writer;
    this.#problems = problems;
  }

  /** What the previous snapshot has of the file. Usually there is nothing to wait for. */
  keep(seen: Seen, kept: PreviousFile): Promise<void> | undefined {
    return this.#isEmpty ? this.#writer.keep(kept) : this.#enqueue({ seen, kept });
  }

  /** An entry that needs no reading. */
  add(seen: Seen, entry: Entry): Promise<void> | undefined {
    const item = { seen, entry, isRead: false };
    return this.#isEmpty ? this.#finish(item, undefined) : this.#enqueue(item);
  }

  /** A regular file whose content must be read, and its attributes with it. */
  read(seen: Seen, entry: Entry): Promise<void> | undefined {
    this.#open.toRead.push(seen);
    this.#open.bytes += seen.stat.size;
    return this.#enqueue({ seen, entry, isRead: true });
  }

  /**
   * Brings into the tree what was read by now. What waits is handed over if nothing else is being read: behind a single file that
   * changed all others would wait until a batch is full.
   */
  async advance(): Promise<void> {
    if (this.#inFlight.every(({ isDone }) => isDone)) this.#dispatch();
    while (this.#inFlight[0]?.isDone === true) await this.#drainFirst();
  }

  /** Waits until everything is in the tree. */
  async flush(): Promise<void> {
    this.#dispatch();
    while (this.#inFlight.length > 0) await this.#drainFirst();
  }

  /** Lets go of what still waits, after an error. */
  async abandon(): Promise<void> {
    const batches = [...this.#inFlight, this.#open];
    await Promise.allSettled(batches.map(({ results }) => results));
    for (const { items } of batches) for (const { seen } of items) seen.parent.release();
  }

  get #isEmpty(): boolean {
    return this.#inFlight.length === 0 && this.#open.items.length === 0;
  }

  #enqueue(item: Item): Promise<void> | undefined {
    item.seen.parent.retain();
    const { items, toRead } = this.#open;
    items.push(item);
    const isFull =
      toRead.length >= batchFiles || this.#open.bytes >= batchBytes || items.length >= batchItems;
    if (!isFull) return undefined;
    this.#dispatch();
    return this.#inFlight.length < batchesInFlight ? undefined : this.#drainFirst();
  }

  #dispatch(): void {
    const batch = this.#open;
    if (batch.items.length === 0) return;
    if (batch.toRead.length > 0) {
      batch.isDone = false;
      batch.results = this.#writer.storeFiles(batch.toRead.map(fileToStore));
    }
    const done = () => {
      batch.isDone = true;
    };
    batch.results.then(done, done); // Whoever drains the batch hears of a failure.
    this.#inFlight.push(batch);
    this.#open = emptyBatch();
  }

  async #drainFirst(): Promise<void> {
    const batch = this.#inFlight[0];
    if (batch === undefined) return;
    const results = (await batch.results)[Symbol.iterator]();
    for (let item = batch.items[0]; item !== undefined; item = batch.items[0]) {
      const result = 'isRead' in item && item.isRead ? results.next().value : undefined;
      const finished = this.#finish(item, result);
      if (finished !== undefined) await finished; // Most are done, and to await that too takes its time.
      batch.items.shift();
      item.seen.parent.release();
    }
    this.#inFlight.shift();
  }

  #finish(item: Item, result: StoredFile | undefined): Promise<void> | undefined {
    if ('kept' in item) return this.#writer.keep(item.kept);
    const { seen, entry } = item;
    if (result !== undefined) return this.#finishRead(seen, entry, result);
    if (entry.hardlink !== undefined) return this.#finishLink(seen, entry, entry.hardlink);
    return this.#writer.add(entry);
  }

  #finishRead(seen: Seen, entry: Entry, result: StoredFile): Promise<void> | undefined {
    const isSmooth = !('error' in result) && result.flag === undefined;
    if (isSmooth) return this.#writer.add(withContent(seen, entry, result));
    return this.#finishTroubled(seen, entry, result);
  }

  async #finishTroubled(seen: Seen, entry: Entry, first: StoredFile): Promise<void> {
    const { result, entry: current } = await this.#readAgainIfReplaced(seen, entry, first);
    if (result === undefined) return this.#writer.add(current);
    if ('error' in result) {
      if (seen.stat.links > 1) this.#standIns.set(entry.path, undefined);
      return this.#problems.unreadable(entry.path, result.error);
    }
    if (result.flag !== undefined) this.#problems.changing(entry.path);
    await this.#writer.add(withContent(seen, current, result));
  }

  async #finishLink(seen: Seen, entry: Entry, target: string): Promise<void> {
    if (!this.#standIns.has(target)) return this.#writer.add(entry);
    const standIn = this.#standIns.get(target);
    if (standIn !== undefined) return this.#writer.add({ ...entry, hardlink: standIn });
    const { hardlink: _, ...alone } = entry;
    const [result] = await this.#writer.storeFiles([fileToStore(seen)]);
    await this.#finishRead(seen, alone, result ?? { error: 'EIO' });
    if (result !== undefined && !('error' in result)) this.#standIns.set(target, entry.path);
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

function wasReplaced(result: StoredFile): boolean {
  return 'error' in result && ['ESTALE', 'ELOOP'].includes(result.error);
}

function emptyBatch(): Batch {
  return { items: [], toRead: [], bytes: 0, results: Promise.resolve([]), isDone: true };
}

function fileToStore({ parent, name, stat }: Seen) {
  const { device, inode, size } = stat;
  return { directory: parent.descriptor, name, device, inode: Number(inode), size };
}

/** A directory cannot be saved in a file's place: the walk has gone on. */
function lookAgain(seen: Seen): Found | { error: string } {
  try {
    const now = { ...seen, stat: statAt(seen.parent.descriptor, seen.name) };
    if (now.stat.type === 'directory' || now.stat.type === 'socket') return { error: 'ESTALE' };
    return { seen: now, entry: describeFile(now) };
  } catch (error) {
    return { error: codeOf(error) ?? 'EIO' };
  }
}

/**
 * Completes the entry as it was when its content was read. If the file was touched since the walk saw it, owner, mode and attributes are
 * taken anew; if it was touched even after the reading, its ctime is left out, and the next run reads it again.
 */
function withContent(seen: Seen, entry: Entry, stored: Exclude<StoredFile, { error: string }>): Entry {
  const { chunks, size, holes, xattrs, mtime, ctime, inode, flag } = stored;
  const current = ctime === entry.ctime ? entry : freshMetadata(seen, entry, ctime);
  Object.assign(current, { chunks, size, mtime, inode });
  if (holes !== undefined) current.holes = holes;
  if (xattrs !== undefined) current.xattrs = xattrs;
  if (flag !== undefined) current.flag = flag;
  return current;
}

function freshMetadata(seen: Seen, entry: Entry, ctime: bigint): Entry {
  const now = lookAgain(seen);
  if (!('error' in now) && now.entry.ctime === ctime) return now.entry;
  const { ctime: _, ...undated } = entry;
  return undated;
}

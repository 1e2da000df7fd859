import type { PreviousFile, SourceWriter, StoredFile } from '../../repository/run/run.ts';
import type { Changes } from '../report.ts';
import type { Seen } from '../walk/walk.ts';
import { type Coming, EntryFinisher, fileToStore } from './entry-finisher.ts';
import type { ProblemLog } from './problem-log.ts';

/**
 * Files are handed over for reading in batches, so many at a time and so many bytes; more batches wait than are read.
 * The directory of each is held open, and a process may have no more than 1,024 files open on some hosts.
 */
const batchFiles = 128;
const batchBytes = 32 * 1024 * 1024;
const batchItems = 4096;
const batchesInFlight = 3;

interface Batch {
  items: Item[];
  toRead: Seen[];
  /** Of its files, those whose directory is held open. */
  held: number;
  bytes: number;
  results: Promise<StoredFile[]>;
  /** There are results, or none to wait for. */
  isDone: boolean;
}

/** What is kept, or an entry; if `isRead`, its content is among the batch's results. */
type Item = { seen: Seen; kept: PreviousFile } | (Coming & { isRead: boolean });

/**
 * Brings entries into the tree in the order they are given, while the content of many is still being read. The
 * directories of waiting files are held open; how many wait is bounded.
 */
export class TreeQueue {
  readonly #writer: SourceWriter;
  readonly #finisher: EntryFinisher;
  readonly #inFlight: Batch[] = [];
  #open = emptyBatch();

  /** @param changes counts what is added and changed */
  constructor(writer: SourceWriter, problems: ProblemLog, changes: Changes) {
    this.#writer = writer;
    this.#finisher = new EntryFinisher(writer, problems, changes);
  }

  /** What the previous snapshot has of the file. Usually there is nothing to wait for. */
  keep(seen: Seen, kept: PreviousFile): Promise<void> | undefined {
    return this.#isEmpty ? this.#writer.keep(kept) : this.#enqueue({ seen, kept });
  }

  /** An entry that needs no reading. */
  add(coming: Coming): Promise<void> | undefined {
    return this.#isEmpty
      ? this.#finisher.finish(coming, undefined)
      : this.#enqueue({ ...coming, isRead: false });
  }

  /** A regular file whose content must be read, and its attributes with it. */
  read(coming: Coming): Promise<void> | undefined {
    this.#open.toRead.push(coming.seen);
    this.#open.bytes += coming.seen.stat.size;
    return this.#enqueue({ ...coming, isRead: true });
  }

  /**
   * Brings into the tree what was read by now. What waits is handed over if nothing else is being read: behind a
   * single file that changed all others would wait until a batch is full.
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
    for (const item of batches.flatMap(({ items }) => items)) release(item);
  }

  get #isEmpty(): boolean {
    return this.#inFlight.length === 0 && this.#open.items.length === 0;
  }

  #enqueue(item: Item): Promise<void> | undefined {
    if (needsDirectory(item)) {
      item.seen.parent.retain();
      this.#open.held++;
    }
    const { items, held, bytes } = this.#open;
    items.push(item);
    const isFull = held >= batchFiles || bytes >= batchBytes || items.length >= batchItems;
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
      const finished = this.#finish(item, results);
      if (finished !== undefined) await finished; // Most are done, and to await that too takes its time.
      batch.items.shift();
      release(item);
    }
    this.#inFlight.shift();
  }

  #finish(item: Item, results: Iterator<StoredFile>): Promise<void> | undefined {
    if ('kept' in item) return this.#writer.keep(item.kept);
    const result = item.isRead ? results.next().value : undefined;
    return this.#finisher.finish(item, result);
  }
}

/** What is read; and a further name of a file, which is read too if the first one cannot be. */
function needsDirectory(item: Item): boolean {
  return 'entry' in item && (item.isRead || item.entry.hardlink !== undefined);
}

function release(item: Item): void {
  if (needsDirectory(item)) item.seen.parent.release();
}

function emptyBatch(): Batch {
  return { items: [], toRead: [], held: 0, bytes: 0, results: Promise.resolve([]), isDone: true };
}

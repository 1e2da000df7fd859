import type { Recipient } from '../age/keys.ts';
import type { Entry } from '../entry.ts';
import type { SigningKey } from '../signed/signing-key.ts';
import type { Snapshot, SourceSummary } from '../snapshot/snapshot.ts';

/** What a snapshot in the making is told of itself. */
export interface RunOptions {
  host: string;
  deployment: string;
  release: string | undefined;
  tags?: readonly string[];
  /** Whoever can open what the run writes; left out or nobody: it is not sealed. */
  recipients?: readonly Recipient[];
  /** What signs the snapshot's config; left out: it is not signed. */
  signingKey?: SigningKey | undefined;
}

/** One snapshot in the making. Nothing of it is visible before `commit` resolves. */
export interface Run {
  readonly predecessor: Snapshot | undefined;
  /** One source at a time: end it before the next begins. */
  beginSource(source: Pick<SourceSummary, 'name' | 'title' | 'kind' | 'origin'>): Promise<SourceWriter>;
  commit(): Promise<Snapshot>;
  /** Gives up: removes what only this run wrote, releases the lock. */
  abandon(): Promise<void>;
}

/** Takes in the content and the tree of one source. */
export interface SourceWriter {
  /** The same source as the snapshot tells of it whose files are `previous()`. */
  readonly predecessor: SourceSummary | undefined;
  /** The same source when it was last complete. */
  readonly lastComplete: SourceSummary | undefined;
  /**
   * The same source's files in the newest snapshot of the deployment that has it, a segment at a time, to be
   * merge-joined with the walk; nothing when there is none.
   */
  previous(): AsyncIterable<Iterable<PreviousFile>>;
  /** Whether every chunk of a file of `previous()` is in a pack that can still be used. */
  has(file: PreviousFile): boolean;
  /**
   * Reads and stores regular files, hashing and compressing on all cores. Resolves when every file of the batch is
   * hashed and its new chunks are on their way; waits first when too many bytes are in flight. The next batch may be
   * given before this one is done, and should be: that keeps all cores busy. A file is opened without following links
   * and is watched: one that changes while it is read is read again a few times.
   */
  storeFiles(files: readonly FileToStore[]): Promise<StoredFile[]>;
  /** Stores a stream (a dump) as the content of one file. */
  storeStream(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }>;
  /**
   * Appends to the tree, strictly in the order of `comparePaths`. Regular files need `chunks` or `hardlink`. There is a
   * promise to wait for only where a segment must be written.
   */
  add(entry: Entry): Promise<void> | undefined;
  /**
   * Appends a file of `previous()` as it was: where all of a segment is kept, nothing of it is written or hashed
   * again. Most are kept, so there is a promise to wait for only where a segment must be written.
   */
  keep(file: PreviousFile): Promise<void> | undefined;
  /** Something worth telling that spoils nothing. */
  warn(message: string): void;
  /**
   * Something is missing that should be in the source: it, and so the snapshot, is incomplete. Told before every
   * warning.
   */
  fail(message: string): void;
  end(): Promise<SourceSummary>;
}

/** A file of the previous snapshot. It is decoded when somebody asks for more than its path: most are only compared. */
export interface PreviousFile {
  /** As an `Entry` has it. */
  readonly path: string;
  /** `undefined` when its line cannot be read, of which a warning tells. */
  readonly entry: Readonly<Entry> | undefined;
  /**
   * Whether the tree says of it, letter for letter, what it would say of a file with this stat. One that is a hard
   * link, has holes or an odd name is never plainly the same: its entry tells.
   */
  isPlainly(stat: PlainStat): boolean;
}

/** What a stat tells that the line of a file says. Times in nanoseconds since 1970. */
export interface PlainStat {
  type: string;
  mode: number;
  uid: number;
  gid: number;
  mtime: bigint;
  /** Of a regular file. */
  size: number;
  inode: bigint;
  ctime: bigint;
}

export interface FileToStore {
  /** Descriptor of its directory, kept open until this resolves. */
  directory: number;
  /** Its name there, one character per byte. */
  name: string;
  /** What the walk saw: a file that is another inode by now has been replaced. */
  device: number;
  inode: number;
  /** Bytes. */
  size: number;
  /** Of 512 bytes each, really allocated. */
  blocks: number;
  /** Nanoseconds since 1970. */
  ctime: bigint;
}

export type StoredFile =
  | {
      chunks: string[];
      /** Bytes read, holes counted. */
      size: number;
      holes?: [number, number][];
      xattrs?: Record<string, Uint8Array>;
      /** What it was when it was read; left out where the walk had seen it so. */
      asRead?: AsRead;
      flag?: 'changed' | 'grew';
    }
  /** It could not be read: the system's code, `ENOENT` when it vanished, or `replaced`. */
  | { error: string };

/** Instead of a code of the system's: something else took the place of the file that was to be read. */
export const replaced = 'replaced';

/** Times in nanoseconds since 1970. */
export interface AsRead {
  mtime: bigint;
  ctime: bigint;
  inode: number;
}

import type { Digest } from '../oci/digest.ts';
import type { Context } from '../support/context.ts';
import type { Recipient } from './age/keys.ts';
import type { Entry } from './entry.ts';
import type { Provenance, TrustedKeys } from './signed/provenance.ts';
import type { SignedConfig } from './signed/signed-config.ts';
import type { BlobRef } from './snapshot/manifest.ts';

/** What a snapshot is read from: a repository, or an archive of one. */
export type ReadableRepository = Pick<
  Repository,
  'directory' | 'snapshots' | 'find' | 'signedConfig' | 'entries' | 'content' | 'close'
>;

/** Where snapshots live: an OCI image layout directory, described in `docs/backup-format.md`. */
export interface Repository {
  readonly directory: string;
  /** Every snapshot, oldest first, read from digested blobs. */
  snapshots(): Promise<Snapshot[]>;
  /** By id, unique prefix of it, or `latest` (the newest complete one). Throws `NotFoundError`, naming what there is. */
  find(name: string): Promise<Snapshot>;
  /** The files of one source of a snapshot, in the order of `comparePaths`. Throws `SignatureError` without a key. */
  entries(snapshot: Snapshot, source: string): AsyncIterable<Entry>;
  /** What proves who made a snapshot. */
  signedConfig(snapshot: Snapshot): Promise<SignedConfig>;
  /** The bytes of a regular file without its holes, each chunk checked against its digest before it is passed on. */
  content(snapshot: Snapshot, entry: Entry): AsyncIterable<Uint8Array>;
  /**
   * Checks every digest; with `readData` every chunk too. Never throws for damage: it reports it. Throws
   * `SignatureError` when chunks are to be read that no key at hand opens.
   */
  verify(options: VerifyOptions, context: Context): Promise<VerifyReport>;
  /** Begins a snapshot under the exclusive lock. Throws `LockedError`. */
  beginRun(options: RunOptions, context: Context): Promise<Run>;
  /**
   * Removes these snapshots (full ids) and every blob that no other needs, alone in the repository. Needs no free space.
   * Packs less than half of which is needed are written anew, where there is room, and a key if they are sealed.
   * Throws `LockedError`, and `DamagedError` when a snapshot cannot be read: what it needs is not known.
   */
  remove(ids: readonly string[], context: Context): Promise<RemovalReport>;
  /**
   * Checks every digest, sets damaged blobs aside (their names then end in `.damaged`), finds their content in other packs where it
   * is stored again, and writes `index.json` anew. Alone in the repository. Throws `LockedError`.
   */
  repair(context: Context): Promise<RepairReport>;
  /** A snapshot with everything it needs, to be sent or exported. */
  outgoing(snapshot: Snapshot): Promise<Outgoing>;
  /**
   * Begins to take in a snapshot that was made elsewhere, under the exclusive lock. Throws `LockedError`, and `DamagedError`
   * when these bytes are no manifest of a snapshot.
   */
  beginIncoming(manifest: Buffer, keys: TrustedKeys, context: Context): Promise<Incoming>;
  /** Releases locks, workers and file handles. */
  close(): Promise<void>;
}

/** What a snapshot's config tells, in the clear. */
export interface Snapshot {
  /** Digest of its config: `sha256:…`. */
  id: string;
  started: Date;
  ended: Date;
  host: string;
  deployment: string;
  release: string | undefined;
  complete: boolean;
  /** Id of the snapshot whose trees this run compared itself with. */
  predecessor: string | undefined;
  /** The operator's words for it; retention rules may name them. */
  tags: string[];
  /** age recipients who can open its content; nobody: it is not sealed. */
  recipients: string[];
  sources: SourceSummary[];
  /** Bytes that this run added to the repository, and how many blobs. */
  added: { bytes: number; blobs: number };
}

export interface SourceSummary {
  name: string;
  title: string;
  kind: SourceKind;
  started: Date;
  ended: Date;
  complete: boolean;
  files: number;
  /** Of regular files, holes not counted. */
  bytes: number;
  /** Of content that was not in the repository before. */
  newBytes: number;
  /** What went wrong or was noteworthy, bounded in number; the rest is counted in the last line. */
  warnings: string[];
  /** What restore needs to know of it and the deployment file may no longer say: paths, volume, database engine, service. */
  origin: Record<string, string | string[]>;
}

/** `deployment` is in every snapshot under that name: the deployment file (`deployment.yaml`) and `inventories/<name>.json`. */
export type SourceKind = 'paths' | 'volume' | 'dump' | 'run' | 'images' | 'deployment';

export interface RunOptions {
  host: string;
  deployment: string;
  release: string | undefined;
  tags?: readonly string[];
  /** Whoever can open what the run writes; left out or nobody: it is not sealed. */
  recipients?: readonly Recipient[];
  /** File of the SSH private key that signs the snapshot's config; left out: it is not signed. */
  signingKey?: string | undefined;
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

export interface SourceWriter {
  /** The same source as the snapshot tells of it whose files are `previous()`. */
  readonly predecessor: SourceSummary | undefined;
  /**
   * The same source's files in the newest snapshot of the deployment that has it, a segment at a time, to be merge-joined with the
   * walk; nothing when there is none.
   */
  previous(): AsyncIterable<Iterable<PreviousFile>>;
  /** Whether every chunk of a file of `previous()` is in a pack that can still be used. */
  has(file: PreviousFile): boolean;
  /**
   * Reads and stores regular files, hashing and compressing on all cores. Resolves when every file of the batch is
   * hashed and its new chunks are on their way; waits first when too many bytes are in flight. The next batch may be
   * given before this one is done, and should be: that keeps all cores busy. A file is opened without following links and is watched: one that changes while it is read is read again a few times.
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
   * Appends a file of `previous()` as it was: where all of a segment is kept, nothing of it is written or hashed again. Most are
   * kept, so there is a promise to wait for only where a segment must be written.
   */
  keep(file: PreviousFile): Promise<void> | undefined;
  warn(message: string): void;
  /** `complete: false` marks the source, and so the snapshot, incomplete. */
  end(options: { complete: boolean }): Promise<SourceSummary>;
}

/** A file of the previous snapshot. It is decoded when somebody asks for more than its path: most are only compared. */
export interface PreviousFile {
  /** As an `Entry` has it. */
  readonly path: string;
  /** `undefined` when its line cannot be read, of which a warning tells. */
  readonly entry: Readonly<Entry> | undefined;
  /**
   * Whether the tree says of it, letter for letter, what it would say of a file with this stat. One that is a hard link, has holes
   * or an odd name is never plainly the same: its entry tells.
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
  /** Bytes, as the walk saw it; only a hint for batching. */
  size: number;
}

export type StoredFile =
  | {
      chunks: string[];
      /** Bytes read, holes counted. */
      size: number;
      holes?: [number, number][];
      xattrs?: Record<string, Uint8Array>;
      /** Times and inode at the moment of the read that is stored. Nanoseconds since 1970. */
      mtime: bigint;
      ctime: bigint;
      inode: number;
      flag?: 'changed' | 'grew';
    }
  /** It could not be read: the system's code, `ENOENT` when it vanished, `ESTALE` when it was replaced by something else. */
  | { error: string };

export interface RepairReport {
  /** How many snapshots there are now. */
  snapshots: number;
  /** Files of damaged blobs. */
  setAside: string[];
  /** Ids of snapshots that were damaged and are whole again. */
  mended: string[];
  /** Ids of snapshots that still lack something. */
  spoiled: string[];
}

export interface VerifyOptions {
  /** Decompress every pack and check every chunk. */
  readData?: boolean;
}

export interface VerifyReport {
  snapshots: number;
  blobs: number;
  /** Bytes read. */
  bytes: number;
  damage: Damage[];
}

export interface RemovalReport {
  /** Ids of the snapshots that went. */
  snapshots: string[];
  /** Files that went with them, and what dead runs had left. */
  blobs: number;
  bytes: number;
  /** Packs mostly unused that were written anew, and the bytes that this took. */
  rewritten: { packs: number; bytes: number };
}

/** A snapshot on its way out of a repository. */
export interface Outgoing {
  /** Of the repository that it is in. */
  directory: string;
  snapshot: Snapshot;
  manifest: Buffer;
  /** Every blob that it needs but its manifest, each once. */
  blobs: readonly BlobRef[];
  /** The bytes of one of them. Throws `DamagedError` at their end when they are not what the digest says. */
  read(blob: BlobRef): AsyncIterable<Uint8Array>;
}

/** A snapshot on its way into a repository. Nothing of it is visible before `commit` resolves. */
export interface Incoming {
  /** The same snapshot, when the repository has it already. Then what is lacking was lost, and adding it mends. */
  readonly existing: Snapshot | undefined;
  /** Every blob that it needs but its manifest. */
  readonly needed: readonly BlobRef[];
  /** Those that the repository has not got, in the order of the manifest. */
  readonly lacking: readonly BlobRef[];
  /**
   * Stores one of the lacking; config and signature must come before the rest. Throws `DamagedError` when the bytes are not
   * what the digest says, and keeps nothing of them; `SignatureError` when the snapshot is not by whom it must be, and
   * then nothing at all has been stored.
   */
  add(digest: Digest, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Makes it visible. Throws `DamagedError` while anything is lacking, and `SignatureError` as `add` does. */
  commit(): Promise<{ snapshot: Snapshot; provenance: Provenance }>;
  /** Gives up and releases the lock. What was added stays for the next attempt, or until the next removal. */
  abandon(): Promise<void>;
}

export interface Damage {
  /** What is wrong with which file of the repository, in one line. */
  message: string;
  path: string;
  got: string | undefined;
  want: string | undefined;
  /** Ids of the snapshots that it spoils. */
  snapshots: string[];
  /** `source:path` of files that it spoils, bounded in number. */
  files: string[];
}

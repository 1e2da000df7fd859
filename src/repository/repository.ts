import type { Context } from '../support/context.ts';
import type { Incoming, IncomingTrust } from './carry/incoming.ts';
import type { Outgoing } from './carry/outgoing.ts';
import type { Entry } from './entry.ts';
import type { Gap } from './read/read-entries.ts';
import type { Run, RunOptions } from './run/run.ts';
import type { SignedConfig } from './signed/signed-config.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** What a snapshot is read from: a repository, or an archive of one. */
export type ReadableRepository = Pick<
  Repository,
  | 'directory'
  | 'snapshots'
  | 'unreadable'
  | 'find'
  | 'lacking'
  | 'signedConfig'
  | 'entries'
  | 'content'
  | 'close'
>;

export interface ContentOptions {
  /** Each piece is looked at only until the next is asked for: then its memory is used again. */
  lent?: boolean;
}

/** Where snapshots live: an OCI image layout directory, described in `docs/backup-format.md`. */
export interface Repository {
  readonly directory: string;
  /** Every snapshot, oldest first, read from digested blobs. */
  snapshots(): Promise<Snapshot[]>;
  /** Those that are there and cannot be read. */
  unreadable(): Promise<Unreadable[]>;
  /**
   * By id, unique prefix of it, or `latest` (the newest complete one). Throws `NotFoundError`, naming what there is.
   */
  find(name: string): Promise<Snapshot>;
  /**
   * The files of one source of a snapshot, in the order of `comparePaths`. Throws `SignatureError` without a key, and
   * `DamagedError` where the tree cannot be read, unless there is an `onGap` to be told of it before what comes behind.
   */
  entries(snapshot: Snapshot, source: string, onGap?: (gap: Gap) => void): AsyncIterable<Entry>;
  /**
   * Files of the repository that a source of a snapshot needs, and that are missing or not as long as they should be.
   */
  lacking(snapshot: Snapshot, source: string): Promise<string[]>;
  /** What proves who made a snapshot. */
  signedConfig(snapshot: Snapshot): Promise<SignedConfig>;
  /** The bytes of a regular file without its holes, each chunk checked against its digest before it is passed on. */
  content(snapshot: Snapshot, entry: Entry, options?: ContentOptions): AsyncIterable<Uint8Array>;
  /**
   * Checks every digest; with `readData` every chunk too. Never throws for damage: it reports it. Throws
   * `SignatureError` when chunks are to be read that no key at hand opens.
   */
  verify(options: VerifyOptions, context: Context): Promise<VerifyReport>;
  /** Whether it was made in this repository, and signed with the key of this fingerprint. */
  madeHere(snapshot: Snapshot, fingerprint: string): Promise<boolean>;
  /**
   * Tells that a run will begin as soon as some other things are settled: the threads that a first one needs start
   * meanwhile. Without a run `close` ends them.
   */
  prepareRun(): void;
  /** Begins a snapshot under the exclusive lock. Throws `LockedError`. */
  beginRun(options: RunOptions, context: Context): Promise<Run>;
  /**
   * Removes these snapshots (full ids) and every blob that no other needs, alone in the repository. Needs no free
   * space. Packs less than half of which is needed are written anew, where there is room, and a key if they are sealed.
   * Throws `LockedError`, and `DamagedError` when a snapshot cannot be read: what it needs is not known.
   */
  remove(ids: readonly string[], context: Context): Promise<RemovalReport>;
  /**
   * Checks every digest, sets damaged blobs aside (their names then end in `.damaged`), finds their content in other
   * packs where it is stored again, and writes lost manifests and configs anew, and `index.json`. Alone in the
   * repository. Throws `LockedError`.
   */
  repair(context: Context, options?: RepairOptions): Promise<RepairReport>;
  /** A snapshot with everything it needs, to be sent or exported. */
  outgoing(snapshot: Snapshot): Promise<Outgoing>;
  /**
   * Begins to take in a snapshot that was made elsewhere, under the exclusive lock. Throws `LockedError`, and
   * `DamagedError` when these bytes are no manifest of a snapshot.
   */
  beginIncoming(manifest: Buffer, trust: IncomingTrust, context: Context): Promise<Incoming>;
  /** Releases locks, workers and file handles. */
  close(): Promise<void>;
}

/** A snapshot that was made, as is known, and cannot be read. */
export interface Unreadable {
  /** As far as it can be told. */
  id: string;
  /** As `index.json` says. */
  started: Date | undefined;
  /** Why it cannot be read, in words. */
  reason: string;
}

export interface RepairOptions {
  /** Forget the snapshots that nobody can read: while one is missed, nothing is removed. */
  giveUp?: boolean;
}

/** What a repair has mended, and what not. */
export interface RepairReport {
  /** How many snapshots there are now. */
  snapshots: number;
  /** Files of damaged blobs. */
  setAside: string[];
  /** Ids of snapshots that were damaged and are whole again. */
  mended: string[];
  /** New ids of snapshots whose config was lost and written anew. */
  rebuilt: string[];
  /** Ids of snapshots that were given up, as far as they can be told. */
  givenUp: string[];
  /** Ids of snapshots that still lack something. */
  spoiled: string[];
}

/** How thoroughly a repository is verified. */
export interface VerifyOptions {
  /** Decompress packs and check every chunk in them. */
  readData?: boolean;
  /** Share of the packs that are read, drawn at random anew each time, above 0 and at most 1; all unless told. */
  part?: number;
  /** `false`: this host forgets again what was found; else a snapshot that was found damaged counts as damaged. */
  remember?: boolean;
}

/** What a verification has looked at and found. */
export interface VerifyReport {
  snapshots: number;
  blobs: number;
  /** Bytes read. */
  bytes: number;
  /** Of how many packs every chunk was checked, and how many there are; with `readData` only. */
  packs?: { read: number; all: number };
  damage: Damage[];
}

/** What a removal has deleted. */
export interface RemovalReport {
  /** Ids of the snapshots that went. */
  snapshots: string[];
  /** Files that went with them, and what dead runs had left. */
  blobs: number;
  bytes: number;
  /** Packs mostly unused that were written anew, and the bytes that this took. */
  rewritten: { packs: number; bytes: number };
}

/** One thing that is damaged, and what it spoils. */
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

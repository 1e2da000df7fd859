import { closeSync, constants, symlinkSync } from 'node:fs';
import type { Entry } from '../../repository/entry.ts';
import { codeOf, DamagedError } from '../../support/errors.ts';
import { pathAt, toFsPath, toText } from '../../support/posix/byte-path.ts';
import { makeDeviceAt, makeFifoAt } from '../../support/posix/make-node.ts';
import { openAt } from '../../support/posix/open.ts';
import { withPath } from '../../support/posix/whole-path.ts';
import { nameOf } from './checked-entries.ts';
import { writeContent } from './content.ts';
import { copyLinked, makeHardLink } from './hard-link.ts';
import { applyMetadata, type Location, type Made, type MetadataOptions, verifyMetadata } from './metadata.ts';
import { type Level, OpenDirectories } from './open-directories.ts';

/** Where the trees of a source are written. Directories are open descriptors, and not ours to close. */
export interface Destinations {
  /** Of a path at which a tree begins: the directory to make it in, and its name there. */
  rootAt(path: string): Location | undefined;
  /** Of a directory that is not made because it stays where it is: the directory that its children are made in. */
  keptAt(path: string): number | undefined;
}

export interface TreeWriterOptions extends MetadataOptions {
  content(entry: Entry): AsyncIterable<Uint8Array>;
  onBytes(count: number): void;
  onKept(entry: Entry): void;
  signal: AbortSignal;
}

/** Files whose content is on its way at one time: enough to keep decompression and writing both busy. */
const filesInFlight = 4;

/**
 * Makes every file of checked entries anew under `destinations`, reads each back, and resolves when all are whole.
 * Every step goes by directory handle and fails where something already is, so no link that stands or slips in can
 * lead it elsewhere.
 */
export async function writeTree(
  entries: AsyncIterable<Entry>,
  destinations: Destinations,
  options: TreeWriterOptions,
): Promise<void> {
  const writer = new TreeWriter(destinations, options);
  try {
    for await (const entry of entries) {
      options.signal.throwIfAborted();
      await writer.write(entry);
    }
  } finally {
    await writer.finish();
  }
  writer.throwFailure();
}

class TreeWriter {
  readonly #destinations: Destinations;
  readonly #options: TreeWriterOptions;
  readonly #directories: OpenDirectories;
  readonly #running = new Set<Promise<void>>();
  #failure: { cause: unknown } | undefined;

  constructor(destinations: Destinations, options: TreeWriterOptions) {
    this.#destinations = destinations;
    this.#options = options;
    this.#directories = new OpenDirectories((made, entry) => this.#completeDirectory(made, entry));
  }

  async write(entry: Entry): Promise<void> {
    this.throwFailure();
    this.#directories.leaveFor(entry.path);
    try {
      await this.#make(entry);
    } catch (error) {
      throw this.#named(error, entry);
    }
  }

  async #make(entry: Entry): Promise<void> {
    const kept = this.#destinations.keptAt(entry.path);
    if (kept !== undefined) return this.#enterKept(entry, kept);
    const parent = this.#directories.current;
    const place = this.#destinations.rootAt(entry.path) ?? {
      directory: parent!.descriptor,
      name: nameOf(entry.path),
    };
    if (entry.type === 'directory') this.#directories.enter(entry, place);
    else if (entry.hardlink !== undefined) await this.#link(entry, place);
    else if (entry.type === 'file') await this.#startFile(entry, parent, place);
    else this.#makeNode(entry, place);
  }

  /** Waits for all that is under way; never throws. */
  async finish(): Promise<void> {
    this.#directories.leaveAll();
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  throwFailure(): void {
    if (this.#failure) throw this.#failure.cause;
  }

  #named(error: unknown, entry: Entry): unknown {
    return withPath(error, this.#options.pathOf(entry));
  }

  #enterKept(entry: Entry, descriptor: number): void {
    if (entry.type !== 'directory') {
      throw new DamagedError(
        `restoring ${toText(this.#options.pathOf(entry))}: a directory is mounted where the snapshot has none`,
      );
    }
    this.#options.onKept(entry);
    this.#directories.enterKept(entry, descriptor);
  }

  #completeDirectory(made: Made & { file: number }, entry: Entry): void {
    if (this.#failure) return;
    try {
      applyMetadata(made, entry, this.#options);
      verifyMetadata(made, entry, this.#options);
    } catch (error) {
      this.#failure = { cause: this.#named(error, entry) };
    }
  }

  async #startFile(entry: Entry, parent: Level | undefined, place: Location): Promise<void> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    const file = openAt(place.directory, place.name, flags);
    if (entry.size === 0) return this.#complete(entry, { ...place, file });
    this.#directories.hold(parent);
    const task = this.#fill(entry, { ...place, file })
      .catch((error: unknown) => {
        this.#failure ??= { cause: this.#named(error, entry) };
      })
      .finally(() => {
        this.#running.delete(task);
        this.#directories.release(parent);
      });
    this.#running.add(task);
    if (this.#running.size >= filesInFlight) await Promise.race(this.#running);
  }

  async #fill(entry: Entry, made: Made & { file: number }): Promise<void> {
    try {
      await writeContent(made.file, entry, this.#options);
    } catch (error) {
      closeSync(made.file);
      throw error;
    }
    this.#complete(entry, made);
  }

  #complete(entry: Entry, made: Made & { file: number }): void {
    try {
      applyMetadata(made, entry, this.#options);
      verifyMetadata(made, entry, this.#options);
    } finally {
      closeSync(made.file);
    }
  }

  #makeNode(entry: Entry, place: Location): void {
    const { directory, name } = place;
    if (entry.type === 'symlink') {
      symlinkSync(toFsPath(entry.target ?? ''), toFsPath(pathAt(directory, name)));
    } else if (entry.type === 'fifo') makeFifoAt(directory, name, 0o600);
    else if (entry.type === 'character' || entry.type === 'block') {
      makeDeviceAt(directory, name, entry.type, 0o600, entry.device ?? { major: 0, minor: 0 });
    }
    applyMetadata(place, entry, this.#options);
    verifyMetadata(place, entry, this.#options);
  }

  async #link(entry: Entry, place: Location): Promise<void> {
    try {
      makeHardLink(entry, place, this.#destinations, this.#options);
    } catch (error) {
      // Mounts lie differently here than where the snapshot was taken: two files of the same content must do.
      if (codeOf(error) !== 'EXDEV' || entry.type !== 'file') throw error;
      await this.#finishFiles();
      copyLinked(entry, place, this.#destinations, this.#options);
      this.#complete(entry, { ...place, file: openAt(place.directory, place.name, constants.O_RDWR) });
    }
  }

  async #finishFiles(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
    this.throwFailure();
  }
}

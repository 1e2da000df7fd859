import { closeSync, mkdirSync } from 'node:fs';
import type { Entry } from '../../repository/entry.ts';
import { isInside } from '../../support/path-containment.ts';
import { pathAt, toFsPath } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import type { Location, Made } from './metadata.ts';

/** A directory whose children are being made. Its own metadata comes last, when nobody uses it any more. */
export interface Level {
  entry: Entry;
  descriptor: number;
  /** Whom it is in, and under what name; `undefined` when it stays where it is. */
  parent: Level | undefined;
  place: Location | undefined;
  users: number;
}

/**
 * The directories from the root of a tree down to the file that is being made, and those whose files are still on their
 * way.
 */
export class OpenDirectories {
  readonly #levels: Level[] = [];
  readonly #complete: (made: Made & { file: number }, entry: Entry) => void;

  /** @param complete called with each that we made once everything in it is done; it must not throw */
  constructor(complete: (made: Made & { file: number }, entry: Entry) => void) {
    this.#complete = complete;
  }

  /** The innermost. */
  get current(): Level | undefined {
    return this.#levels.at(-1);
  }

  /** Leaves those that this path is not inside. */
  leaveFor(path: string): void {
    while (this.#levels.length > 0 && !isInside(path, this.#levels.at(-1)!.entry.path)) this.#leave();
  }

  leaveAll(): void {
    while (this.#levels.length > 0) this.#leave();
  }

  /** Makes a directory and goes into it. */
  enter(entry: Entry, place: Location): void {
    const parent = this.current;
    mkdirSync(toFsPath(pathAt(place.directory, place.name)), 0o700);
    const descriptor = openDirectoryAt(place.directory, place.name);
    this.hold(parent);
    this.#levels.push({ entry, descriptor, parent, place, users: 1 });
  }

  /** Goes into one that stays where it is, whose descriptor is not ours to close. */
  enterKept(entry: Entry, descriptor: number): void {
    this.#levels.push({ entry, descriptor, parent: undefined, place: undefined, users: 1 });
  }

  /** Somebody makes a file in it, and will release it. */
  hold(level: Level | undefined): void {
    if (level) level.users++;
  }

  release(level: Level | undefined): void {
    if (level === undefined || --level.users > 0 || level.place === undefined) return;
    this.#complete({ ...level.place, file: level.descriptor }, level.entry);
    closeSync(level.descriptor);
    this.release(level.parent);
  }

  #leave(): void {
    this.release(this.#levels.pop());
  }
}

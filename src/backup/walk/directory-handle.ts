import { constants, openSync } from 'node:fs';
import { toFsPath } from '../../support/posix/byte-path.ts';
import { closeFile, openDirectoryAt } from '../../support/posix/open.ts';
import { readNames } from '../../support/posix/read-names.ts';

/** An open directory that lives for as long as somebody holds it: the walk, or files that are still to be read. */
export class DirectoryHandle {
  readonly descriptor: number;
  #holders = 1;

  /** Takes over an open directory, and closes it when nobody holds it any more. */
  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** By a path somebody trustworthy has named: links in it are followed. One character per byte. */
  static open(path: string): DirectoryHandle {
    return new DirectoryHandle(openSync(toFsPath(path), constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** A directory inside this one. Throws `ENOTDIR` when `name` is anything else, a link included. */
  openInside(name: string): DirectoryHandle {
    return new DirectoryHandle(openDirectoryAt(this.descriptor, name));
  }

  /** The names inside, in the order of their bytes. To be asked once. */
  sortedNames(): string[] {
    return readNames(this.descriptor).sort();
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders === 0) closeFile(this.descriptor);
  }
}

import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { pathAt, toFsPath } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';

/** An open directory that lives for as long as somebody holds it: the walk, or files that are still to be read. */
export class DirectoryHandle {
  readonly descriptor: number;
  readonly #close: (descriptor: number) => void;
  #holders = 1;

  /** Takes over an open directory; `close` is called when nobody holds it any more. */
  constructor(descriptor: number, close: (descriptor: number) => void = closeSync) {
    this.descriptor = descriptor;
    this.#close = close;
  }

  /** By a path somebody trustworthy has named: links in it are followed. One character per byte. */
  static open(path: string, close?: (descriptor: number) => void): DirectoryHandle {
    const descriptor = openSync(toFsPath(path), constants.O_RDONLY | constants.O_DIRECTORY);
    return new DirectoryHandle(descriptor, close);
  }

  /** A directory inside this one. Throws `ENOTDIR` when `name` is anything else, a link included. */
  openInside(name: string): DirectoryHandle {
    return new DirectoryHandle(openDirectoryAt(this.descriptor, name), this.#close);
  }

  /** The names inside, in the order of their bytes. */
  sortedNames(): string[] {
    return readdirSync(pathAt(this.descriptor, ''), 'latin1').sort();
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders === 0) this.#close(this.descriptor);
  }
}

import type { Digest } from '../../oci/digest.ts';
import { toText } from '../../support/posix/byte-path.ts';

/** So many files are named; a damaged pack can spoil thousands. */
export const mostFiles = 100;

/** The files that each damaged blob spoils, as far as they are named. */
export class SpoiledNames {
  readonly #names = new Map<Digest, Set<string>>();

  addFile(blob: Digest, source: string, path: string): void {
    this.add(blob, `${source}:${toText(path)}`);
  }

  add(blob: Digest, name: string): void {
    if (this.isFull(blob)) return;
    const names = this.#names.get(blob) ?? new Set();
    this.#names.set(blob, names.add(name));
  }

  /** Whether no more will be named. */
  isFull(blob: Digest): boolean {
    return (this.#names.get(blob)?.size ?? 0) >= mostFiles;
  }

  of(blob: Digest): string[] {
    return [...(this.#names.get(blob) ?? [])];
  }
}

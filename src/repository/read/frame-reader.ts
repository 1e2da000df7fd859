import { type FileHandle, open } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { blobPath, type Layout } from '../../oci/layout.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { decompress } from '../blobs/zstd.ts';
import type { FramePlace } from './chunk-places.ts';

/** Frames are no larger than this, in bytes, compressed or not: the largest chunk behind an almost full frame. */
const frameLimit = 8 * 1024 * 1024;
const cacheLimit = 64 * 1024 * 1024;
const mostOpenPacks = 16;

/** Decompresses frames of packs, and keeps the last ones: small files share a frame with their neighbours. */
export class FrameReader {
  readonly #layout: Layout;
  readonly #frames = new Map<FramePlace, Promise<Buffer>>();
  readonly #packs = new Map<Digest, Promise<FileHandle>>();
  #cached = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The frame's bytes, decompressed; not checked against any digest. Throws `DamagedError`. */
  read(place: FramePlace): Promise<Buffer> {
    const known = this.#frames.get(place);
    if (known !== undefined) {
      this.#frames.delete(place);
      this.#frames.set(place, known);
      return known;
    }
    const frame = this.#read(place);
    frame.catch(() => this.#forget(place));
    this.#frames.set(place, frame);
    this.#cached += place.size;
    while (this.#cached > cacheLimit && this.#frames.size > 1)
      this.#forget(this.#frames.keys().next().value!);
    return frame;
  }

  async close(): Promise<void> {
    this.#frames.clear();
    this.#cached = 0;
    for (const file of this.#packs.values()) await (await file.catch(() => undefined))?.close();
    this.#packs.clear();
  }

  #forget(place: FramePlace): void {
    if (this.#frames.delete(place)) this.#cached -= place.size;
  }

  async #read({ pack, offset, length, size }: FramePlace): Promise<Buffer> {
    const path = blobPath(this.#layout, pack);
    if (length > frameLimit || size > frameLimit) {
      throw new DamagedError(`reading ${path}: its index tells of a frame larger than any we write`);
    }
    const file = await this.#open(pack, path);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    if (bytesRead < length) {
      throw new DamagedError(`reading ${path}: it ends before byte ${offset + length}`, { facts: { path } });
    }
    const frame = await decompress(buffer, size, path, size);
    if (frame.length === size) return frame;
    throw new DamagedError(
      `reading ${path}: the frame at byte ${offset} has ${frame.length} bytes, not ${size}`,
    );
  }

  #open(pack: Digest, path: string): Promise<FileHandle> {
    const known = this.#packs.get(pack);
    if (known !== undefined) return known;
    const opened = open(path, 'r').catch((error: unknown) => {
      this.#packs.delete(pack);
      throw new DamagedError(`reading ${path}: ${messageOf(error)}`, { facts: { path }, cause: error });
    });
    opened.catch(() => {});
    this.#packs.set(pack, opened);
    if (this.#packs.size > mostOpenPacks) this.#closeOldest();
    return opened;
  }

  #closeOldest(): void {
    const [pack, file] = this.#packs.entries().next().value!;
    this.#packs.delete(pack);
    file.then((handle) => handle.close()).catch(() => {});
  }
}

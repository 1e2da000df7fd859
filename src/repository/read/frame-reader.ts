import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { DamagedError } from '../../support/errors.ts';
import { decompress } from '../blobs/zstd.ts';
import { type OpenPack, openPack } from '../packs/open-pack.ts';
import type { Store } from '../seal/store.ts';
import type { FramePlace } from './chunk-places.ts';

/** Frames are no larger than this, in bytes, compressed or not: the largest chunk behind an almost full frame. */
export const frameLimit = 8 * 1024 * 1024;
const cacheLimit = 64 * 1024 * 1024;
const mostOpenPacks = 16;

/** Decompresses frames of packs, and keeps the last ones: small files share a frame with their neighbours. */
export class FrameReader {
  readonly #store: Store;
  readonly #frames = new Map<FramePlace, Promise<Buffer>>();
  readonly #packs = new Map<Digest, Promise<OpenPack>>();
  #cached = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The frame's bytes, decompressed; not checked against any digest. Throws as `openPack` does. */
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
    const path = blobPath(this.#store, pack);
    if (length > frameLimit || size > frameLimit) {
      throw new DamagedError(`reading ${path}: its index tells of a frame larger than any we write`);
    }
    const file = await this.#open(pack);
    const bytes = await file.read(offset, length);
    if (bytes.length < length) {
      throw new DamagedError(`reading ${path}: it ends before byte ${offset + length}`, { facts: { path } });
    }
    const frame = await decompress(bytes, size, path, size);
    if (frame.length === size) return frame;
    throw new DamagedError(
      `reading ${path}: the frame at byte ${offset} has ${frame.length} bytes, not ${size}`,
    );
  }

  #open(pack: Digest): Promise<OpenPack> {
    const known = this.#packs.get(pack);
    if (known !== undefined) return known;
    const opened = openPack(this.#store, pack);
    opened.catch(() => this.#packs.delete(pack));
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

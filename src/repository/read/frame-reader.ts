import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { DamagedError } from '../../support/errors.ts';
import { freeNow } from '../../support/free-now.ts';
import { returnLargeBlocks } from '../../support/posix/malloc.ts';
import { decompress } from '../blobs/zstd.ts';
import { type OpenPack, openPack } from '../packs/open-pack.ts';
import type { Store } from '../seal/store.ts';
import type { FramePlace } from './chunk-places.ts';

/** Frames with chunks that nobody asked for yet are kept up to so many bytes… */
const unreadLimit = 64 * 1024 * 1024;
/** …and those of which every chunk was asked for, lest several files have the same content, up to so many. */
const readLimit = 8 * 1024 * 1024;
/** With so many bytes of frames in use nothing is read ahead. */
const busyLimit = 8 * 1024 * 1024;
const mostOpenPacks = 16;

/** A frame that is in memory until it is given back. */
export interface LentFrame {
  /** Decompressed; not checked against any digest. */
  bytes: Buffer;
  giveBack(): void;
}

interface KeptFrame {
  bytes: Promise<Buffer>;
  users: number;
  /** Chunks that were not asked for, as far as each is asked for once. */
  unread: number;
  /** Somebody may look at its bytes after they were given back. */
  escaped: boolean;
}

/**
 * Decompresses frames of packs, and keeps those that are needed again: small files share one with their neighbours. The
 * memory of the others is given back at once, for the garbage collector would let a hundred megabytes pile up.
 */
export class FrameReader {
  readonly #store: Store;
  /** Those used last come last. */
  readonly #frames = new Map<FramePlace, KeptFrame>();
  readonly #finished = new Set<FramePlace>();
  readonly #packs = new Map<Digest, Promise<OpenPack>>();
  #inUse = 0;

  constructor(store: Store) {
    returnLargeBlocks();
    this.#store = store;
  }

  /** Whether frames may be read that are not needed yet. */
  get hasRoom(): boolean {
    return this.#inUse < busyLimit;
  }

  /**
   * The frame of one chunk. Throws as `openPack` does.
   * @param escapes its bytes are looked at after it was given back, too
   */
  async lend(place: FramePlace, escapes: boolean): Promise<LentFrame> {
    const frame = this.#frames.get(place) ?? this.#begin(place);
    this.#frames.delete(place);
    this.#frames.set(place, frame);
    if (frame.users++ === 0) this.#inUse += place.size;
    if (--frame.unread <= 0) this.#finished.add(place);
    frame.escaped ||= escapes;
    try {
      return { bytes: await frame.bytes, giveBack: () => this.#takeBack(place, frame) };
    } catch (error) {
      this.#takeBack(place, frame);
      if (this.#frames.get(place) === frame) this.#frames.delete(place);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#frames.clear();
    for (const file of this.#packs.values()) await (await file.catch(() => undefined))?.close();
    this.#packs.clear();
  }

  #begin(place: FramePlace): KeptFrame {
    this.#forgetOldest();
    const unread = this.#finished.has(place) ? 0 : place.chunks;
    return { bytes: this.#read(place), users: 0, unread, escaped: false };
  }

  #takeBack(place: FramePlace, frame: KeptFrame): void {
    if (--frame.users === 0) this.#inUse -= place.size;
  }

  #forgetOldest(): void {
    const left = { unread: unreadLimit, read: readLimit };
    for (const [place, { bytes, users, unread, escaped }] of [...this.#frames].reverse()) {
      left[unread > 0 ? 'unread' : 'read'] -= place.size;
      if (users > 0 || left[unread > 0 ? 'unread' : 'read'] >= 0) continue;
      this.#frames.delete(place);
      if (!escaped) bytes.then(freeNow, () => {});
    }
  }

  async #read({ pack, offset, length, size }: FramePlace): Promise<Buffer> {
    const path = blobPath(this.#store, pack);
    const file = await this.#open(pack);
    const bytes = await file.read(offset, length);
    if (bytes.length < length) {
      throw new DamagedError(`reading ${path}: it ends before byte ${offset + length}`, { facts: { path } });
    }
    const frame = await decompress(bytes, size, path, size);
    freeNow(bytes);
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

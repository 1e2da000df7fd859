import { createHash } from 'node:crypto';
import { closeSync, fsync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { WriteBack } from '../../support/posix/write-back.ts';
import { Encryptor } from '../age/encrypt.ts';
import type { Recipient } from '../age/keys.ts';
import { storeRaw } from '../blobs/zstd.ts';
import type { Frame, PackContents } from './index-lines.ts';
import { archiveEnd } from './tar-frame.ts';

const fsyncAsync = promisify(fsync);

/** No pack holds more chunks, so that its line in an index stays short. */
const mostChunks = 16_384;

/**
 * Bytes that are written with one call. The kernel copies them without being interrupted: until it has, the core
 * serves nobody else, however urgent. The memory of a frame takes it milliseconds.
 */
const mostAtOnce = 256 * 1024;

/** A pack while it is written, in the staging directory. */
export class PackFile {
  readonly path: string;
  readonly #goal: number;
  readonly #file: number;
  readonly #writeBack: WriteBack;
  readonly #sha256 = createHash('sha256');
  readonly #seal: Encryptor | undefined;
  readonly #frames: Frame[] = [];
  #size = 0;
  #chunks = 0;

  /**
   * @param goal bytes at which it is full
   * @param recipients who can open it; nobody: it is not sealed
   */
  constructor(path: string, goal: number, recipients: readonly Recipient[]) {
    this.path = path;
    this.#goal = goal;
    if (recipients.length > 0) this.#seal = new Encryptor(recipients);
    this.#file = openSync(path, 'wx', 0o600);
    this.#writeBack = new WriteBack(this.#file);
  }

  get isFull(): boolean {
    return this.#size >= this.#goal || this.#chunks >= mostChunks;
  }

  append(bytes: Uint8Array, chunks: Omit<Frame, 'length'>): void {
    this.#write(bytes);
    this.#frames.push({ length: bytes.length, ...chunks });
    this.#chunks += chunks.sizes.length;
  }

  /** Ends the archive and syncs the file. Resolves when it would survive a power cut under its staging name. */
  async close(): Promise<WrittenPack> {
    try {
      this.#write(storeRaw(archiveEnd));
      for (const sealed of this.#seal?.final() ?? []) this.#put(sealed);
      await fsyncAsync(this.#file);
    } finally {
      closeSync(this.#file);
    }
    const pack = `sha256:${this.#sha256.digest('hex')}` as const;
    return { pack, size: this.#size, frames: this.#frames, path: this.path };
  }

  /** Gives up; the file stays in the staging directory, for the next writer to sweep. */
  discard(): void {
    closeSync(this.#file);
  }

  #write(bytes: Uint8Array): void {
    if (this.#seal === undefined) this.#put(bytes);
    else for (const sealed of this.#seal.update(bytes)) this.#put(sealed);
  }

  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.#file, bytes, at, Math.min(mostAtOnce, bytes.length - at));
    this.#sha256.update(bytes);
    this.#size += bytes.length;
    this.#writeBack.follow(this.#size);
  }
}

export interface WrittenPack extends PackContents {
  /** Where it lies until it is published. */
  path: string;
}

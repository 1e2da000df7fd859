import { finished, type Readable } from 'node:stream';

const pieceSize = 1 << 20;

export interface SilenceLimit {
  /** Seconds without a byte, while we wait for one. */
  silence: number;
  /** Why it ends then. */
  late(): Error;
}

/**
 * Gathers an answer's many small pieces into few large ones. They lie in memory that is used again: a piece is good until the
 * next one is asked for. The memory of the small ones is given back at once, for the collector, which would have to run
 * every few megabytes, costs a fifth of the time that a stream of images takes.
 * @param answer of the engine, which nobody else reads; it is destroyed in the end
 * @param limit when to wait no longer; left out: never
 */
export async function* inLargePieces(answer: Readable, limit?: SilenceLimit): AsyncGenerator<Uint8Array> {
  const arrived = new Arrived(answer, limit);
  let large = Buffer.allocUnsafeSlow(pieceSize);
  try {
    for (;;) {
      await arrived.enough();
      if (arrived.size === 0) return;
      if (arrived.size > large.length) large = Buffer.allocUnsafeSlow(arrived.size);
      yield large.subarray(0, arrived.moveTo(large));
    }
  } finally {
    answer.destroy();
  }
}

/** Pieces of a stream that wait to be copied. Somewhat more than one large piece of them makes the stream wait. */
class Arrived {
  size = 0;
  #pieces: Uint8Array[] = [];
  readonly #stream: Readable;
  #ended = false;
  #failure: Error | null | undefined;
  #wake: (() => void) | undefined;
  readonly #limit: SilenceLimit | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Readable, limit: SilenceLimit | undefined) {
    this.#stream = stream;
    this.#limit = limit;
    stream.on('data', (piece: Uint8Array) => this.#add(piece));
    finished(stream, { writable: false }, (error) => {
      this.#ended = true;
      this.#failure = error;
      this.#wake?.();
    });
  }

  /** Waits for a large piece's worth, or the end. @throws what the stream fails with */
  async enough(): Promise<void> {
    const { silence, late } = this.#limit ?? {};
    if (silence !== undefined) this.#timer = setTimeout(() => this.#stream.destroy(late?.()), silence * 1000);
    while (this.size < pieceSize && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failure) throw this.#failure;
  }

  moveTo(target: Buffer): number {
    let at = 0;
    for (const [i, piece] of this.#pieces.entries()) {
      target.set(piece, at);
      at += piece.length;
      const next = this.#pieces[i + 1];
      // What was read at once is passed on in parts; the last part here may have another one still to come.
      if (next !== undefined && next.buffer !== piece.buffer) (piece.buffer as ArrayBuffer).transfer(0);
    }
    this.#pieces = [];
    this.size = 0;
    this.#stream.resume();
    return at;
  }

  #add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.size += piece.length;
    this.#timer?.refresh();
    if (this.size < pieceSize) return;
    this.#stream.pause();
    this.#wake?.();
  }
}

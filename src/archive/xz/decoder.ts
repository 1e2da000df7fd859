import { loadLzma } from './lzma.ts';

/**
 * Decodes .xz files on the thread pool: several streams one after the other, and the padding between them.
 * @param memoryLimit bytes; a dictionary that needs more is refused
 * @param pieceSize tells how many bytes are decoded next: a piece is decoded whole before anything can be stopped, and
 * may expand some 7,000 times
 * @throws an error whose `name` is liblzma's code: `LZMA_DATA_ERROR`, `LZMA_BUF_ERROR` for input that ends too early, …
 */
export async function* decodeXz(
  compressed: AsyncIterable<Uint8Array>,
  memoryLimit: number,
  pieceSize: () => number,
): AsyncGenerator<Uint8Array> {
  const decoder = XzDecoder.create(memoryLimit);
  try {
    let decoding: Promise<Uint8Array[]> = Promise.resolve([]);
    let [bound, taken] = [firstBound, 0];
    const size = async () => {
      bound = nextBound(bound, taken, await decoding);
      return Math.min(bound, pieceSize());
    };
    for await (const piece of inSmallPieces(compressed, size)) {
      const decoded = await decoding;
      taken = piece.length;
      decoding = decoder.decode(piece);
      decoding.catch(() => {}); // It is awaited in the next turn.
      yield* decoded;
    }
    yield* await decoding;
    yield* await decoder.finish();
  } finally {
    decoder.release();
  }
}

/** Larger than the library's own: fewer turns, and memory that can be given back piece by piece. */
const outputPiece = 256 << 10;

/**
 * What a piece may become, in bytes, if it expands as the one before it did: long runs of zeros do not fill the memory.
 */
const muchOutput = 2 << 20;

/** Nobody knows yet what becomes of the first ones. */
const firstBound = 256;

/** How many bytes are decoded next at most, by what became of those that were `taken` before. */
function nextBound(bound: number, taken: number, decoded: readonly Uint8Array[]): number {
  const became = decoded.reduce((sum, { length }) => sum + length, 0);
  if (became === 0) return bound * 4;
  return Math.ceil(Math.min(bound * 4, (taken * muchOutput) / became));
}

async function* inSmallPieces(
  bytes: AsyncIterable<Uint8Array>,
  pieceSize: () => Promise<number>,
): AsyncGenerator<Uint8Array> {
  for await (const bytesAtOnce of bytes) {
    for (let at = 0; at < bytesAtOnce.length; ) {
      const piece = bytesAtOnce.subarray(at, at + (await pieceSize()));
      at += piece.length;
      yield piece;
    }
  }
}

/**
 * liblzma's stream decoder through lzma-native's inner class. Its stream class cuts the input wherever the letters YZ
 * stand in it: a file made of them would take hours.
 */
class XzDecoder {
  readonly #native: NativeStream;
  #output: Uint8Array[] = [];
  #settle: { resolve(output: Uint8Array[]): void; reject(error: Error): void } | undefined;

  static create(memoryLimit: number): XzDecoder {
    const lzma = loadLzma<LzmaNative>();
    const native = new lzma.Stream();
    native.streamDecoder({ memlimit: memoryLimit, flags: lzma.CONCATENATED });
    native.setBufsize(outputPiece);
    return new XzDecoder(native);
  }

  private constructor(native: NativeStream) {
    this.#native = native;
    native.bufferHandler = (bytes, taken, error) => {
      if (error) this.#settle?.reject(error);
      else if (bytes) this.#output.push(bytes);
      else if (bytes === null || taken !== undefined) this.#settle?.resolve(this.#output.splice(0));
    };
  }

  decode(piece: Uint8Array): Promise<Uint8Array[]> {
    return this.#code(piece);
  }

  finish(): Promise<Uint8Array[]> {
    return this.#code(null);
  }

  /** Frees the dictionary, which the garbage collector does not see. */
  release(): void {
    this.#native.resetUnderlying();
  }

  #code(input: Uint8Array | null): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#native.code(input, true);
    });
  }
}

/** What `@types/lzma-native` leaves out. */
interface LzmaNative {
  CONCATENATED: number;
  Stream: new () => NativeStream;
}

interface NativeStream {
  streamDecoder(options: { memlimit: number; flags: number }): void;
  /** Bytes of output that are handed over at a time. */
  setBufsize(size: number): void;
  /**
   * Called with output; with `undefined` and how many inputs are used up; with `null` at the end, or with the error.
   */
  bufferHandler(bytes: Uint8Array | null | undefined, taken?: number, error?: Error | null): void;
  /** Decodes on the thread pool; `null` says that the input has ended. */
  code(input: Uint8Array | null, onThreadPool: true): void;
  resetUnderlying(): void;
}

import { DamagedError } from '../support/errors.ts';

/** Bytes read forward. What is not wanted is skipped, at no cost where the medium can seek. */
export interface ByteSource {
  /** Offset of the next byte. */
  readonly position: number;
  /** The next `count` bytes without passing them; fewer only at the end. */
  peek(count: number): Promise<Uint8Array>;
  /** The next `count` bytes; fewer only at the end. */
  take(count: number): Promise<Uint8Array>;
  /** The next `count` bytes in pieces. @throws {DamagedError} when they end early. */
  pieces(count: number): AsyncGenerator<Uint8Array>;
  /** @throws {DamagedError} when there are fewer than `count`. */
  skip(count: number): Promise<void>;
  /** Lets go of what it reads from. */
  close(): Promise<void>;
}

/** Bytes that can be read at any offset. */
export interface SeekableBytes {
  readonly size: number;
  /** Pieces of the range, in order, never more than asked for; fewer only at the end. */
  range(offset: number, length: number): AsyncGenerator<Uint8Array>;
}

/**
 * Reads `bytes` once, from beginning to end. Their pieces may lie in memory that is used again for the next one: then
 * what this source returns is good until something else is asked of it.
 */
export function streamSource(bytes: AsyncIterable<Uint8Array>, what: string): ByteSource {
  return new StreamSource(bytes[Symbol.asyncIterator](), what);
}

/** Reads `bytes` forward, skipping without reading. */
export function seekableSource(bytes: SeekableBytes, what: string): ByteSource {
  return new SeekableSource(bytes, what);
}

const nothing = new Uint8Array(0);

class StreamSource implements ByteSource {
  position = 0;
  #held: Uint8Array = nothing;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #what: string;

  constructor(iterator: AsyncIterator<Uint8Array>, what: string) {
    this.#iterator = iterator;
    this.#what = what;
  }

  async peek(count: number): Promise<Uint8Array> {
    if (this.#held.length < count) await this.#hold(count);
    return this.#held.subarray(0, count);
  }

  async take(count: number): Promise<Uint8Array> {
    const taken = await this.peek(count);
    this.#drop(taken.length);
    return taken;
  }

  async *pieces(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      const piece = await this.#some(left);
      if (piece.length === 0) throw endsEarly(this.#what, this.position, left);
      left -= piece.length;
      this.#drop(piece.length);
      yield piece;
    }
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const piece = await this.#some(left);
      if (piece.length === 0) throw endsEarly(this.#what, this.position, left);
      left -= piece.length;
      this.#drop(piece.length);
    }
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** What is at hand, at most `count`, at least one byte unless the end is reached. */
  async #some(count: number): Promise<Uint8Array> {
    if (this.#held.length === 0) await this.#hold(1);
    return this.#held.subarray(0, count);
  }

  async #hold(count: number): Promise<void> {
    const before: Uint8Array[] = [];
    let last = this.#held;
    for (let { length } = last; length < count; length += last.length) {
      if (last.length > 0) before.push(Buffer.from(last));
      const next = await this.#iterator.next();
      last = next.done === true ? nothing : next.value;
      if (next.done === true) break;
    }
    this.#held = before.length === 0 ? last : Buffer.concat([...before, last]);
  }

  #drop(count: number): void {
    this.#held = this.#held.subarray(count);
    this.position += count;
  }
}

/** So much is read at once when somebody looks at a few bytes. */
const lookAhead = 4096;

class SeekableSource implements ByteSource {
  position = 0;
  #held: { offset: number; bytes: Uint8Array } = { offset: 0, bytes: new Uint8Array(0) };
  readonly #bytes: SeekableBytes;
  readonly #what: string;

  constructor(bytes: SeekableBytes, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  async peek(count: number): Promise<Uint8Array> {
    const at = this.#atHand();
    if (at.length >= count) return at.subarray(0, count);
    const parts = [at];
    const next = this.position + at.length;
    for await (const part of this.#bytes.range(next, Math.max(count - at.length, lookAhead)))
      parts.push(part);
    this.#held = { offset: this.position, bytes: Buffer.concat(parts) };
    return this.#held.bytes.subarray(0, count);
  }

  async take(count: number): Promise<Uint8Array> {
    const taken = await this.peek(count);
    this.position += taken.length;
    return taken;
  }

  async *pieces(count: number): AsyncGenerator<Uint8Array> {
    const first = this.#atHand().subarray(0, count);
    this.position += first.length;
    if (first.length > 0) yield first;
    let left = count - first.length;
    for await (const piece of left > 0 ? this.#bytes.range(this.position, left) : []) {
      left -= piece.length;
      this.position += piece.length;
      yield piece;
    }
    if (left > 0) throw endsEarly(this.#what, this.position, left);
  }

  async skip(count: number): Promise<void> {
    const left = this.position + count - this.#bytes.size;
    if (left > 0) throw endsEarly(this.#what, this.#bytes.size, left);
    this.position += count;
  }

  async close(): Promise<void> {}

  /** What has been read already, from the position on. */
  #atHand(): Uint8Array {
    const start = this.position - this.#held.offset;
    return start < 0 ? new Uint8Array(0) : this.#held.bytes.subarray(start);
  }
}

function endsEarly(what: string, position: number, missing: number): DamagedError {
  return new DamagedError(`${what}: ends at byte ${position}, at least ${missing} bytes too early`, {
    advice: 'Copy the file again from where it came from, and compare the sizes',
    facts: { offset: position, missing },
  });
}

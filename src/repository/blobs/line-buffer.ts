import { freeNow } from '../../support/free-now.ts';

/** Lines of a text in progress, as bytes in one buffer: thousands of strings would keep the garbage collector busy. */
export class LineBuffer {
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** @returns bytes that the line and its newline take */
  add(line: string): number {
    const most = line.length * 3 + 1;
    if (this.#length + most > this.#bytes.length) this.#grow(most);
    const written = this.#bytes.write(line, this.#length) + 1;
    this.#length += written;
    this.#bytes[this.#length - 1] = newline;
    return written;
  }

  /** All of it, in a buffer of its own; then there are no lines. */
  take(): Buffer {
    const text = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return text;
  }

  #grow(room: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(smallest, this.#bytes.length * 2, this.#length + room));
    this.#bytes.copy(larger, 0, 0, this.#length);
    freeNow(this.#bytes);
    this.#bytes = larger;
  }
}

/** Too large to be cut from node's common pool. */
const smallest = 256 * 1024;
const newline = 0x0a;

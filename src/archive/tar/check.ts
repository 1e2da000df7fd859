import { DamagedError } from '../../support/errors.ts';
import { codecOf } from '../codec.ts';
import { blockSize, decodePax, decodeTarHeader, paddingAfter } from './header.ts';

/**
 * Passes a layer on unchanged and checks what its tar tells of itself: each header's checksum, and that no file ends
 * early. The bytes of its files have nothing to be checked against. A compressed layer is left to its codec's own
 * checks.
 * @param where names the layer in errors
 * @throws {DamagedError} with the offset in the layer
 */
export async function* checkedTar(tar: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  let check: TarCheck | undefined;
  let isFirst = true;
  for await (const piece of tar) {
    if (isFirst && codecOf(piece) === undefined) check = new TarCheck(where);
    isFirst = false;
    check?.update(piece);
    yield piece;
  }
  check?.finish();
}

/** A PAX header may be so long, in bytes. */
const maxPax = 1 << 20;

class TarCheck {
  readonly #where: string;
  readonly #block = Buffer.alloc(blockSize);
  #filled = 0;
  /** Bytes of content and padding that are still to come before the next header. */
  #skip = 0;
  /** Of a PAX header, whose content is needed: how much of it is to come, and what has come. */
  #pax: { left: number; pieces: Uint8Array[] } | undefined;
  /** What a PAX header said of the size of the next entry. */
  #size: number | undefined;
  #position = 0;
  #ended = false;

  constructor(where: string) {
    this.#where = where;
  }

  update(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && !this.#ended; ) {
      const taken = this.#skip > 0 ? this.#pass(piece.subarray(at)) : this.#fill(piece.subarray(at));
      at += taken;
      this.#position += taken;
    }
  }

  finish(): void {
    if (this.#skip === 0 && this.#filled === 0) return;
    throw new DamagedError(`${this.#where}: its tar ends too early, at byte ${this.#position}`);
  }

  #pass(bytes: Uint8Array): number {
    const passed = bytes.subarray(0, this.#skip);
    this.#skip -= passed.length;
    if (this.#pax !== undefined) {
      const content = passed.subarray(0, this.#pax.left);
      this.#pax.pieces.push(content);
      this.#pax.left -= content.length;
      if (this.#skip === 0) this.#endPax(Buffer.concat(this.#pax.pieces));
    }
    return passed.length;
  }

  #fill(bytes: Uint8Array): number {
    const part = bytes.subarray(0, blockSize - this.#filled);
    this.#block.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === blockSize) this.#endHeader();
    return part.length;
  }

  #endHeader(): void {
    this.#filled = 0;
    const where = `${this.#where}: in its tar, near byte ${this.#position}`;
    const header = decodeTarHeader(this.#block, where);
    if (header === undefined) {
      this.#ended = true;
      return;
    }
    const isPax = header.type === 'x';
    if (isPax && header.size > maxPax)
      throw new DamagedError(`${where}: an extended header of ${header.size} bytes`);
    // Links, devices and directories have no content, whatever their header says.
    const content = '123456'.includes(header.type) ? 0 : isPax ? header.size : (this.#size ?? header.size);
    this.#pax = isPax && content > 0 ? { left: content, pieces: [] } : undefined;
    if (!'xgLK'.includes(header.type)) this.#size = undefined;
    this.#skip = content + paddingAfter(content);
  }

  #endPax(content: Uint8Array): void {
    this.#pax = undefined;
    const size = decodePax(content, `${this.#where}: in its tar, near byte ${this.#position}`).get('size');
    if (size !== undefined && /^\d{1,15}$/.test(size)) this.#size = Number(size);
  }
}

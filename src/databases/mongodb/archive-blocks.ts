import { type BsonValue, readBson } from './bson.ts';

const magic = Buffer.of(0x6d, 0xe2, 0x99, 0x81);
const terminator = -1;
const shortestDocument = 5;
/** More than servers accept of one document; what is longer is no length. */
const longestDocument = 48 * 1024 * 1024;

/** What an archive is made of, told in its order. What a method throws goes to whoever passes the bytes. */
export interface ArchiveParts {
  /** The first document, which tells of the archive. */
  beginning(fields: Map<string, BsonValue>): void;
  /** One of the documents behind it: a collection that is to come. */
  announced(fields: Map<string, BsonValue>): void;
  /** The document that a block begins with. */
  header(fields: Map<string, BsonValue>): void;
  /** A document of a block begins. */
  documentBegins(): void;
  /** The bytes of the documents of a block, their lengths among them. */
  content(bytes: Uint8Array): void;
}

/**
 * Cuts an archive of `mongodump --archive` into its blocks and documents, in pieces of any size. A block is a header,
 * documents and a terminator; the first one tells of the archive. Source of the format: common/archive/spec.md of
 * mongodb/mongo-tools.
 */
export class ArchiveBlocks {
  readonly #parts: ArchiveParts;
  readonly #damaged: (fault: string) => Error;
  /** A length or a header that has not come whole. */
  #held: Buffer = Buffer.alloc(0);
  #needed = magic.length;
  #next: 'magic' | 'length' | 'document' = 'magic';
  #block: 'prelude' | 'namespace' = 'prelude';
  #atHeader = true;
  /** Bytes of a block's document that are still to come. */
  #passing = 0;

  /** @param damaged makes the error that is thrown where the archive is none */
  constructor(parts: ArchiveParts, damaged: (fault: string) => Error) {
    this.#parts = parts;
    this.#damaged = damaged;
  }

  read(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      const taken = rest.subarray(0, this.#passing > 0 ? this.#passing : this.#needed - this.#held.length);
      rest = rest.subarray(taken.length);
      if (this.#passing > 0) this.#pass(taken);
      else this.#hold(taken);
    }
  }

  /** Throws unless the archive may end here: between two blocks. */
  end(): void {
    if (this.#next === 'magic') throw this.#damaged('it does not begin like one');
    const between = this.#block === 'namespace' && this.#atHeader && this.#held.length === 0;
    if (!between || this.#passing > 0) throw this.#damaged('it ends before its end');
  }

  #pass(bytes: Buffer): void {
    this.#parts.content(bytes);
    this.#passing -= bytes.length;
    if (this.#passing === 0 && bytes.at(-1) !== 0) throw this.#damaged('a document is malformed');
  }

  #hold(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    if (this.#held.length < this.#needed) return;
    const whole = this.#held;
    this.#held = Buffer.alloc(0);
    if (this.#next === 'magic') {
      if (!whole.equals(magic)) throw this.#damaged('it does not begin like one');
      this.#expectLength();
    } else if (this.#next === 'length') this.#length(whole);
    else this.#document(whole);
  }

  #length(bytes: Buffer): void {
    const length = bytes.readInt32LE(0);
    if (length === terminator) this.#endBlock();
    else if (length < shortestDocument || length > longestDocument)
      throw this.#damaged('a length is impossible');
    else if (this.#block === 'namespace' && !this.#atHeader) this.#beginContent(bytes, length);
    else {
      this.#next = 'document';
      this.#held = bytes;
      this.#needed = length;
    }
  }

  #beginContent(lengthBytes: Buffer, length: number): void {
    this.#parts.documentBegins();
    this.#parts.content(lengthBytes);
    this.#passing = length - lengthBytes.length;
    this.#expectLength();
  }

  #endBlock(): void {
    if (this.#atHeader) throw this.#damaged('a block has no header');
    this.#block = 'namespace';
    this.#atHeader = true;
    this.#expectLength();
  }

  #document(bytes: Buffer): void {
    const fields = readBson(bytes);
    if (fields === undefined) throw this.#damaged('a header is malformed');
    if (this.#block === 'namespace') this.#parts.header(fields);
    else if (this.#atHeader) this.#parts.beginning(fields);
    else this.#parts.announced(fields);
    this.#atHeader = false;
    this.#expectLength();
  }

  #expectLength(): void {
    this.#next = 'length';
    this.#needed = 4;
  }
}

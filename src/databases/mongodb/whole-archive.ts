import { DamagedError } from '../../support/errors.ts';
import { Crc64, ecma } from '../crc64.ts';
import { type BsonValue, readBson } from './bson.ts';

const magic = Buffer.of(0x6d, 0xe2, 0x99, 0x81);
const terminator = -1;
const shortestDocument = 5;
/** More than servers accept of one document; what is longer is no length. */
const longestDocument = 48 * 1024 * 1024;

/** What an archive holds. */
export interface ArchiveContent {
  serverVersion: string | undefined;
  /** Collections and documents by database. */
  databases: Map<string, { collections: number; documents: number }>;
}

/**
 * Passes an archive of `mongodump --archive` on, and throws `DamagedError` at its end unless every collection that it announces has been
 * closed with the checksum of its documents. Nothing else marks the end of an archive: cut between two blocks it looks whole.
 * Source of the format: common/archive/spec.md of mongodb/mongo-tools.
 *
 * @param content is told what goes by
 */
export async function* wholeArchive(
  archive: AsyncIterable<Uint8Array>,
  purpose: string,
  content: ArchiveContent,
): AsyncGenerator<Uint8Array> {
  const reader = new ArchiveReader(purpose, content);
  for await (const piece of archive) {
    reader.read(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
    yield piece;
  }
  reader.end();
}

interface Namespace {
  database: string;
  checksum: Crc64;
  closed: boolean;
}

class ArchiveReader {
  readonly #purpose: string;
  readonly #content: ArchiveContent;
  /** Announced, and perhaps never opened. */
  readonly #announced = new Map<string, { optional: boolean }>();
  readonly #namespaces = new Map<string, Namespace>();
  /** A length or a document of ours that has not come whole. */
  #held: Buffer = Buffer.alloc(0);
  #needed = magic.length;
  #next: 'magic' | 'length' | 'document' = 'magic';
  #block: 'prelude' | 'namespace' = 'prelude';
  #atHeader = true;
  #current: Namespace | undefined;
  /** Bytes of a collection's document that are still to come. */
  #passing = 0;

  constructor(purpose: string, content: ArchiveContent) {
    this.#purpose = purpose;
    this.#content = content;
  }

  read(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      if (this.#passing > 0) {
        const taken = rest.subarray(0, this.#passing);
        this.#current!.checksum.update(taken);
        this.#passing -= taken.length;
        if (this.#passing === 0 && taken.at(-1) !== 0) throw this.#damaged('a document is malformed');
        rest = rest.subarray(taken.length);
        continue;
      }
      const taken = rest.subarray(0, this.#needed - this.#held.length);
      this.#held = Buffer.concat([this.#held, taken]);
      rest = rest.subarray(taken.length);
      if (this.#held.length === this.#needed) this.#whole(this.#held);
    }
  }

  end(): void {
    if (this.#next === 'magic') throw this.#damaged('it does not begin like one');
    const between = this.#block === 'namespace' && this.#atHeader && this.#held.length === 0;
    if (!between || this.#passing > 0) throw this.#damaged('it ends before its end');
    for (const [name, { closed }] of this.#namespaces)
      if (!closed) throw this.#damaged(`it ends before the end of ${name}`);
    for (const [name, { optional }] of this.#announced) {
      if (!optional && !this.#namespaces.has(name)) throw this.#damaged(`it ends before ${name}`);
    }
    if (this.#namespaces.size === 0) throw this.#damaged('it holds no collection');
  }

  #whole(bytes: Buffer): void {
    this.#held = Buffer.alloc(0);
    if (this.#next === 'magic') {
      if (!bytes.equals(magic)) throw this.#damaged('it does not begin like one');
      this.#expectLength();
    } else if (this.#next === 'length') this.#length(bytes);
    else this.#document(bytes);
  }

  #length(bytes: Buffer): void {
    const length = bytes.readInt32LE(0);
    if (length === terminator) this.#endBlock();
    else this.#begin(bytes, length);
  }

  #begin(bytes: Buffer, length: number): void {
    if (length < shortestDocument || length > longestDocument) throw this.#damaged('a length is impossible');
    if (this.#block === 'namespace' && !this.#atHeader) this.#beginContent(bytes, length);
    else {
      this.#next = 'document';
      this.#held = bytes;
      this.#needed = length;
    }
  }

  #beginContent(lengthBytes: Buffer, length: number): void {
    if (this.#current === undefined || this.#current.closed)
      throw this.#damaged('documents follow the end of a collection');
    this.#current.checksum.update(lengthBytes);
    this.#passing = length - lengthBytes.length;
    this.#content.databases.get(this.#current.database)!.documents++;
    this.#expectLength();
  }

  #endBlock(): void {
    if (this.#atHeader) throw this.#damaged('a block has no header');
    this.#block = 'namespace';
    this.#atHeader = true;
    this.#current = undefined;
    this.#expectLength();
  }

  #document(bytes: Buffer): void {
    const fields = readBson(bytes);
    if (fields === undefined) throw this.#damaged('a header is malformed');
    if (this.#block === 'namespace') this.#header(fields);
    else if (this.#atHeader) this.#content.serverVersion = textOf(fields.get('server_version'));
    else this.#announce(fields);
    this.#atHeader = false;
    this.#expectLength();
  }

  /** A view has no documents of its own; those of a time series are in a collection of another name. */
  #announce(fields: Map<string, BsonValue>): void {
    const metadata = textOf(fields.get('metadata')) ?? '';
    const optional =
      /"(viewOn|timeseries)"/.test(metadata) || /^(view|timeseries)$/.test(textOf(fields.get('type')) ?? '');
    this.#announced.set(nameOf(fields), { optional });
  }

  #header(fields: Map<string, BsonValue>): void {
    const [name, database] = [nameOf(fields), textOf(fields.get('db')) ?? ''];
    if (!fields.get('collection')) throw this.#damaged('a block is of no collection');
    const namespace = this.#namespaces.get(name) ?? { database, checksum: new Crc64(ecma), closed: false };
    if (!this.#namespaces.has(name)) this.#open(name, namespace);
    if (namespace.closed) throw this.#damaged(`${name} goes on after its end`);
    this.#current = namespace;
    if (fields.get('EOF') !== true) return;
    namespace.closed = true;
    const written = fields.get('CRC');
    if (typeof written !== 'bigint' || BigInt.asUintN(64, written) !== namespace.checksum.value)
      throw this.#damaged(`${name} does not match its checksum`);
  }

  #open(name: string, namespace: Namespace): void {
    this.#namespaces.set(name, namespace);
    const database = this.#content.databases.get(namespace.database) ?? { collections: 0, documents: 0 };
    database.collections++;
    this.#content.databases.set(namespace.database, database);
  }

  #expectLength(): void {
    this.#next = 'length';
    this.#needed = 4;
  }

  #damaged(fault: string): DamagedError {
    return new DamagedError(`${this.#purpose}: the dump is damaged: ${fault}`);
  }
}

function nameOf(fields: Map<string, BsonValue>): string {
  return `${textOf(fields.get('db')) ?? ''}.${textOf(fields.get('collection')) ?? ''}`;
}

function textOf(value: BsonValue): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

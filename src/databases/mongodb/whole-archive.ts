import { DamagedError } from '../../support/errors.ts';
import { Crc64, ecma } from '../crc64.ts';
import { ArchiveBlocks, type ArchiveParts } from './archive-blocks.ts';
import type { BsonValue } from './bson.ts';

/** What an archive holds. */
export interface ArchiveContent {
  serverVersion: string | undefined;
  /** Collections and documents by database. */
  databases: Map<string, { collections: number; documents: number }>;
}

/**
 * Passes an archive of `mongodump --archive` on, and throws `DamagedError` at its end unless every collection that it
 * announces has been closed with the checksum of its documents. Nothing else marks the end of an archive: cut between
 * two blocks it looks whole.
 *
 * @param content is told what goes by
 */
export async function* wholeArchive(
  archive: AsyncIterable<Uint8Array>,
  purpose: string,
  content: ArchiveContent,
): AsyncGenerator<Uint8Array> {
  const damaged = (fault: string) => new DamagedError(`${purpose}: the dump is damaged: ${fault}`);
  const collections = new ArchivedCollections(content, damaged);
  const blocks = new ArchiveBlocks(collections, damaged);
  for await (const piece of archive) {
    blocks.read(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
    yield piece;
  }
  blocks.end();
  collections.end();
}

interface Namespace {
  database: string;
  checksum: Crc64;
  closed: boolean;
}

/** Follows every collection from its announcement to its checksum. */
class ArchivedCollections implements ArchiveParts {
  readonly #content: ArchiveContent;
  readonly #damaged: (fault: string) => DamagedError;
  /** Announced, and perhaps never opened. */
  readonly #announced = new Map<string, { optional: boolean }>();
  readonly #namespaces = new Map<string, Namespace>();
  /** Of the block that goes by. */
  #current: Namespace | undefined;

  constructor(content: ArchiveContent, damaged: (fault: string) => DamagedError) {
    this.#content = content;
    this.#damaged = damaged;
  }

  beginning(fields: Map<string, BsonValue>): void {
    this.#content.serverVersion = textOf(fields.get('server_version'));
  }

  /** A view has no documents of its own; those of a time series are in a collection of another name. */
  announced(fields: Map<string, BsonValue>): void {
    const metadata = textOf(fields.get('metadata')) ?? '';
    const optional =
      /"(viewOn|timeseries)"/.test(metadata) || /^(view|timeseries)$/.test(textOf(fields.get('type')) ?? '');
    this.#announced.set(nameOf(fields), { optional });
  }

  header(fields: Map<string, BsonValue>): void {
    const [name, database] = [nameOf(fields), textOf(fields.get('db')) ?? ''];
    if (!fields.get('collection')) throw this.#damaged('a block is of no collection');
    const namespace = this.#namespaces.get(name) ?? this.#open(name, database);
    if (namespace.closed) throw this.#damaged(`${name} goes on after its end`);
    this.#current = namespace;
    if (fields.get('EOF') !== true) return;
    namespace.closed = true;
    const written = fields.get('CRC');
    if (typeof written !== 'bigint' || BigInt.asUintN(64, written) !== namespace.checksum.value)
      throw this.#damaged(`${name} does not match its checksum`);
  }

  documentBegins(): void {
    if (this.#current === undefined || this.#current.closed)
      throw this.#damaged('documents follow the end of a collection');
    this.#content.databases.get(this.#current.database)!.documents++;
  }

  content(bytes: Uint8Array): void {
    this.#current!.checksum.update(bytes);
  }

  end(): void {
    for (const [name, { closed }] of this.#namespaces)
      if (!closed) throw this.#damaged(`it ends before the end of ${name}`);
    for (const [name, { optional }] of this.#announced) {
      if (!optional && !this.#namespaces.has(name)) throw this.#damaged(`it ends before ${name}`);
    }
    if (this.#namespaces.size === 0) throw this.#damaged('it holds no collection');
  }

  #open(name: string, database: string): Namespace {
    const namespace = { database, checksum: new Crc64(ecma), closed: false };
    this.#namespaces.set(name, namespace);
    const counts = this.#content.databases.get(database) ?? { collections: 0, documents: 0 };
    counts.collections++;
    this.#content.databases.set(database, counts);
    return namespace;
  }
}

function nameOf(fields: Map<string, BsonValue>): string {
  return `${textOf(fields.get('db')) ?? ''}.${textOf(fields.get('collection')) ?? ''}`;
}

function textOf(value: BsonValue): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

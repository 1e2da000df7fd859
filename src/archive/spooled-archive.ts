import { type Digest, digestNamed } from '../oci/digest.ts';
import { DamagedError } from '../support/errors.ts';
import { padded } from './bundle-writer.ts';
import { streamSource } from './byte-source.ts';
import { codecOf, magicLength } from './codec.ts';
import type { BlockCompressor, SpooledContent } from './compress/block-compressor.ts';
import { CountingHash } from './counting-hash.ts';
import { decompress } from './decompress.ts';
import { type ArchivedFile, ArchiveFiles } from './index/archive-files.ts';
import { inOnePiece } from './index/archive-index.ts';
import { HeldDocuments } from './index/held-documents.ts';
import type { ArchiveLayer } from './index/image-index.ts';
import type { TarEntry } from './tar/reader.ts';

/** A layer that passed. */
export interface SpooledLayer {
  diffId: Digest;
  /** Bytes of the uncompressed tar. */
  size: number;
  /** The uncompressed tar with its padding; `undefined` when it was not wanted. */
  content: SpooledContent | undefined;
}

/**
 * An archive read once, its layers compressed into a spool as they pass: an old engine tells what they are only
 * at the end. Compressed layers are decompressed first, so each layer is its uncompressed tar.
 */
export class SpooledArchive {
  readonly files: ArchiveFiles;
  readonly #name: string;
  readonly #compressor: BlockCompressor;
  readonly #unwanted: ReadonlySet<Digest>;
  readonly #held = new Map<ArchivedFile, Uint8Array>();
  readonly #layers = new Map<ArchivedFile, SpooledLayer>();
  readonly #byDiffId = new Map<Digest, SpooledLayer>();
  readonly #documents = new HeldDocuments();

  /** @param unwanted diff ids of layers whose content is not needed */
  constructor(name: string, compressor: BlockCompressor, unwanted: ReadonlySet<Digest> = new Set()) {
    this.#name = name;
    this.#compressor = compressor;
    this.#unwanted = unwanted;
    this.files = new ArchiveFiles(name, {
      bytes: async (file) => this.#document(file),
      diffId: async (file) => (await this.#layerIn(file)).diffId,
    });
  }

  /** Takes the next entry; call in the archive's order. Its content may come in memory that is used again. */
  async take(entry: TarEntry): Promise<void> {
    const file = this.files.add(entry);
    if (entry.kind !== 'file') return;
    const named = digestNamed(entry.path);
    if (named !== undefined && this.#unwanted.has(named)) {
      this.#layers.set(file, { diffId: named, size: entry.size, content: undefined });
      return;
    }
    const source = streamSource(entry.content(), `${this.#name}: ${entry.path}`);
    const start = await source.peek(magicLength);
    if (!this.#documents.mayHold(entry.size, start)) {
      this.#layers.set(file, await this.#spool(source.pieces(entry.size), start, entry.path));
      return;
    }
    this.#held.set(file, Buffer.from(await source.take(entry.size)));
  }

  /**
   * The layer that an image names.
   * @throws {DamagedError} when it did not pass, or its bytes are not what the image's config says
   */
  async layer({ path, diffId }: ArchiveLayer, image: string): Promise<SpooledLayer> {
    const file = path === undefined ? undefined : this.files.find(path);
    if (file === undefined) throw new DamagedError(`${this.#name}: layer ${diffId} of ${image} is missing`);
    const layer = await this.#layerIn(file);
    if (layer.diffId === diffId) return layer;
    throw new DamagedError(
      `${this.#name}: ${path}: its bytes have digest ${layer.diffId}, should have ${diffId}`,
      {
        facts: { path, got: layer.diffId, want: diffId },
      },
    );
  }

  async #layerIn(file: ArchivedFile): Promise<SpooledLayer> {
    const known = this.#layers.get(file);
    if (known !== undefined) return known;
    const bytes = this.#document(file);
    const layer = await this.#spool(inOnePiece(bytes), bytes, file.path);
    this.#layers.set(file, layer);
    return layer;
  }

  /** The same layer may pass under several names; one copy is kept. */
  async #spool(content: AsyncIterable<Uint8Array>, start: Uint8Array, path: string): Promise<SpooledLayer> {
    const compression = codecOf(start);
    const what = `${this.#name}: ${path}`;
    const hash = new CountingHash();
    const tar = compression === undefined ? content : decompress(compression, copies(content), what);
    const spooled = await this.#compressor.add(padded(hash.passing(tar)));
    const diffId = hash.digest();
    const known = this.#byDiffId.get(diffId);
    if (known === undefined && !this.#unwanted.has(diffId)) {
      const layer = { diffId, size: hash.size, content: spooled };
      this.#byDiffId.set(diffId, layer);
      return layer;
    }
    await this.#compressor.drop(spooled);
    return known ?? { diffId, size: hash.size, content: undefined };
  }

  #document(file: ArchivedFile): Uint8Array {
    const bytes = this.#held.get(file);
    if (bytes !== undefined) return bytes;
    throw new DamagedError(`${this.#name}: ${file.path} is not the JSON it should be`);
  }
}

/** A decoder takes in more than one piece at a time. */
async function* copies(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

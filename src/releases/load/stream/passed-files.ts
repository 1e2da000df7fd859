import { decompress } from '../../../archive/decompress.ts';
import { type ArchivedFile, ArchiveFiles } from '../../../archive/index/archive-files.ts';
import { concatenated, inOnePiece, legacyLayer, mustMatch } from '../../../archive/index/archive-index.ts';
import { HeldDocuments } from '../../../archive/index/held-documents.ts';
import type { ArchiveImage, ArchiveLayer, ImageIndex } from '../../../archive/index/image-index.ts';
import { digestsOf, type LayerDigests } from '../../../archive/index/layer-digests.ts';
import type { TarEntry } from '../../../archive/tar/reader.ts';
import { blobName, type Digest, digestNamed } from '../../../oci/digest.ts';
import { DamagedError } from '../../../support/errors.ts';
import { tarFileHeader, tarPadding } from '../../../support/tar/writer.ts';
import { missingLayers } from '../plan/missing-layers.ts';
import type { SentImage, SentLayer } from './documents.ts';
import { type LayerReceiver, passingLayer, storedLayer } from './passing-layer.ts';
import type { StoredLayer } from './sent-layer.ts';

/** A file that passed, or is held back. */
interface PassedFile extends LayerDigests {
  name: string;
  heldBack: Uint8Array | undefined;
}

/** The files of a one-way archive: each passes once and is never seen again, but for what may be a document. */
export class PassedFiles {
  readonly files: ArchiveFiles;
  /** Bytes of what was passed on, as it lay in the archive. */
  sent = 0;
  readonly #name: string;
  readonly #receiver: LayerReceiver | undefined;
  readonly #documents = new HeldDocuments();
  readonly #byFile = new Map<ArchivedFile, PassedFile>();
  #leftOut: ReadonlyMap<Digest, StoredLayer> = new Map();
  #count = 0;

  /**
   * @param name of the archive, for messages
   * @param receiver the engine that layers go on to, if they do
   */
  constructor(name: string, receiver?: LayerReceiver) {
    this.#name = name;
    this.#receiver = receiver;
    this.files = new ArchiveFiles(name, {
      bytes: async (file) => this.#document(file),
      diffId: async (file) => this.#passed(file).diffId,
    });
  }

  /** Layers that the engine has, and in what form: from now on they are passed over. */
  leaveOut(layers: ReadonlyMap<Digest, StoredLayer>): void {
    this.#leftOut = layers;
  }

  /** Yields what of the entry goes on to the engine now. */
  async *take(entry: TarEntry): AsyncGenerator<Uint8Array> {
    const file = this.files.add(entry);
    if (entry.kind !== 'file' || this.#isLeftOut(file)) return;
    this.#count += 1;
    const name = `layers/${this.#count}`;
    if (this.#documents.mayHold(entry.size, await entry.start())) {
      const heldBack = await concatenated(entry.content());
      const where = this.#where(file);
      const content = legacyLayer(inOnePiece(heldBack), file.path, where);
      const digests = await digestsOf(content, where, this.#receiver?.room.unpacked);
      this.#byFile.set(file, { name, heldBack, ...digests });
      return;
    }
    this.sent += entry.size;
    const digests = yield* passingLayer(entry, name, this.#where(file), this.#receiver);
    this.#byFile.set(file, { name, heldBack: undefined, ...digests });
  }

  /**
   * The images with what their layers turned out to be.
   * @throws {NotFoundError} naming all layers that a delta leaves out and the engine lacks
   * @throws {DamagedError} when a layer is missing, or not what its image promises
   */
  checked(images: readonly ArchiveImage[], index: ImageIndex): SentImage[] {
    const missing = images.flatMap(({ layers }) => layers.filter((layer) => this.#isMissing(layer)));
    if (missing.length > 0) {
      const diffIds = missing.map(({ diffId }) => diffId);
      throw missingLayers(this.#name, index, diffIds);
    }
    return images.map((image) => ({ image, layers: image.layers.map((layer) => this.#checkedLayer(layer)) }));
  }

  /** What a file that passed turned out to be. */
  digestsOf(file: ArchivedFile): LayerDigests {
    return this.#passed(file);
  }

  allFiles(): ArchivedFile[] {
    return [...this.#byFile.keys()];
  }

  /** Yields layers so small, or so much like JSON, that they were held back as documents. */
  async *heldBack(images: readonly SentImage[]): AsyncGenerator<Uint8Array> {
    const wanted = new Map(images.flatMap(({ layers }) => layers.map((layer) => [layer.name, layer])));
    for (const [file, { name, heldBack, compression }] of this.#byFile) {
      const layer = wanted.get(name);
      if (layer === undefined || heldBack === undefined) continue;
      this.sent += heldBack.length;
      yield tarFileHeader(name, layer.size);
      if (layer.compression === compression) yield heldBack;
      else yield* decompress(compression!, inOnePiece(heldBack), this.#where(file));
      yield tarPadding(layer.size);
    }
  }

  async close(): Promise<void> {
    await this.#receiver?.spool.close();
  }

  #checkedLayer(layer: ArchiveLayer): SentLayer {
    const { diffId } = layer;
    const file = this.#fileOf(layer);
    if (file === undefined) {
      const held = this.#leftOut.get(layer.digest ?? diffId)!;
      return { name: blobName(held.digest), ...held, diffId };
    }
    const passed = this.#passed(file);
    mustMatch(this.#name, file, passed.digest, layer.digest ?? passed.digest);
    mustMatch(this.#name, file, passed.diffId, diffId);
    return { name: passed.name, ...storedLayer(passed, this.#receiver), diffId };
  }

  #isMissing(layer: ArchiveLayer): boolean {
    return this.#fileOf(layer) === undefined && !this.#leftOut.has(layer.digest ?? layer.diffId);
  }

  /** `undefined` when it did not pass. */
  #fileOf({ path }: ArchiveLayer): ArchivedFile | undefined {
    const file = path === undefined ? undefined : this.files.find(path);
    return file !== undefined && this.#byFile.has(file) ? file : undefined;
  }

  #isLeftOut({ path }: ArchivedFile): boolean {
    const digest = digestNamed(path);
    return digest !== undefined && this.#leftOut.has(digest);
  }

  #passed(file: ArchivedFile): PassedFile {
    const passed = this.#byFile.get(file);
    if (passed !== undefined) return passed;
    throw new DamagedError(`${this.#name}: ${file.path} is not a file`);
  }

  #document(file: ArchivedFile): Uint8Array {
    const { heldBack } = this.#passed(file);
    if (heldBack !== undefined) return heldBack;
    throw new DamagedError(`${this.#where(file)} is not the JSON it should be`);
  }

  #where(file: ArchivedFile): string {
    return `${this.#name}: ${file.path} (at byte ${file.offset})`;
  }
}

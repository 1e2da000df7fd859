import type { Archive } from '../archive/archive.ts';
import { type ArchivedFile, ArchiveFiles } from '../archive/archive-files.ts';
import { mustMatch } from '../archive/archive-index.ts';
import { HeldDocuments } from '../archive/held-documents.ts';
import type { ArchiveImage, ArchiveLayer, ImageIndex } from '../archive/image-index.ts';
import { readImages } from '../archive/image-index.ts';
import { digested, type LayerDigests } from '../archive/layer-digests.ts';
import type { TarEntry } from '../archive/tar-reader.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../archive/tar-writer.ts';
import type { Digest } from '../oci/digest.ts';
import { DamagedError } from '../support/errors.ts';
import { closingDocuments, type SentLayer } from './load-documents.ts';

/** An image and its layers as they were sent. */
export interface SentImage {
  image: ArchiveImage;
  layers: (SentLayer & { diffId: Digest })[];
}

/**
 * The stream to the engine for an archive that can be read only once. What may be a layer goes on at once, under a name of
 * ours, hashed as it passes; documents are held back. At the end of the archive, when all of it is known, `choose` decides what
 * is to be loaded, every layer of that is checked, and only then follow the documents that make the engine keep anything.
 * @param commit is called right before those
 * @throws {DamagedError} naming the entry that is not what it should be
 */
export async function* oneWayStream(
  archive: Archive,
  choose: (index: ImageIndex) => Promise<ArchiveImage[]>,
  commit: (images: SentImage[]) => void,
): AsyncGenerator<Uint8Array> {
  const passed = new PassedFiles(archive.name);
  for await (const entry of archive.entries()) yield* passed.take(entry);
  const images = (await choose(await readImages(passed.files))).map((image) => passed.checked(image));
  for (const layer of passed.heldLayers(images)) yield* inTar(layer.name, layer.bytes);
  commit(images);
  for (const { name, bytes } of closingDocuments(images)) yield* inTar(name, bytes);
  yield tarEnd;
}

export function* inTar(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield tarFileHeader(name, bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

/** A file that passed, or is held. */
interface PassedFile extends LayerDigests {
  name: string;
  held: Uint8Array | undefined;
}

class PassedFiles {
  readonly files: ArchiveFiles;
  private readonly byFile = new Map<ArchivedFile, PassedFile>();
  private readonly documents = new HeldDocuments();
  private count = 0;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
    this.files = new ArchiveFiles(name, {
      bytes: async (file) => this.document(file),
      diffId: async (file) => this.passed(file).diffId,
    });
  }

  /** Yields what of the entry goes on to the engine now. */
  async *take(entry: TarEntry): AsyncGenerator<Uint8Array> {
    const file = this.files.add(entry);
    if (entry.kind !== 'file') return;
    this.count += 1;
    const name = `layers/${this.count}`;
    const holds = this.documents.mayHold(entry.size, await entry.start());
    const pieces: Uint8Array[] = [];
    if (!holds) yield tarFileHeader(name, entry.size);
    let digests: LayerDigests | undefined;
    const where = `${this.name}: ${entry.path} (at byte ${entry.offset})`;
    for await (const piece of digested(entry.content(), where, (told) => {
      digests = told;
    })) {
      if (holds) pieces.push(piece);
      else yield piece;
    }
    if (!holds) yield tarPadding(entry.size);
    this.byFile.set(file, { name, held: holds ? Buffer.concat(pieces) : undefined, ...digests! });
  }

  /** The image with what its layers turned out to be. @throws {DamagedError} when that is not what it promises */
  checked(image: ArchiveImage): SentImage {
    return { image, layers: image.layers.map((layer) => this.checkedLayer(layer)) };
  }

  /** Layers so small, or so much like JSON, that they were held back as documents. */
  heldLayers(images: readonly SentImage[]): { name: string; bytes: Uint8Array }[] {
    const wanted = new Set(images.flatMap(({ layers }) => layers.map(({ name }) => name)));
    const held = [...this.byFile.values()].filter(({ name }) => wanted.has(name));
    return held.flatMap(({ name, held }) => (held === undefined ? [] : [{ name, bytes: held }]));
  }

  private checkedLayer(layer: ArchiveLayer): SentLayer & { diffId: Digest } {
    const { diffId } = layer;
    if (layer.path === undefined) {
      throw new DamagedError(`${this.name}: the layer ${diffId} is missing`, { facts: { layer: diffId } });
    }
    const file = this.files.find(layer.path)!;
    const passed = this.passed(file);
    mustMatch(this.name, file, passed.digest, layer.digest ?? passed.digest);
    mustMatch(this.name, file, passed.diffId, diffId);
    return {
      name: passed.name,
      digest: passed.digest,
      size: passed.size,
      compression: passed.compression,
      diffId,
    };
  }

  private passed(file: ArchivedFile): PassedFile {
    const passed = this.byFile.get(file);
    if (passed !== undefined) return passed;
    throw new DamagedError(`${this.name}: ${file.path} is not a file`);
  }

  private document(file: ArchivedFile): Uint8Array {
    const { held } = this.passed(file);
    if (held !== undefined) return held;
    throw new DamagedError(
      `${this.name}: ${file.path} (at byte ${file.offset}) is not the JSON it should be`,
    );
  }
}

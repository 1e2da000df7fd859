import { type ArchivedFile, ArchiveFiles } from '../archive/archive-files.ts';
import { mustMatch } from '../archive/archive-index.ts';
import { HeldDocuments } from '../archive/held-documents.ts';
import type { ArchiveImage, ArchiveLayer, ImageIndex } from '../archive/image-index.ts';
import { digested, type LayerDigests } from '../archive/layer-digests.ts';
import type { TarEntry } from '../archive/tar-reader.ts';
import { tarFileHeader, tarPadding } from '../archive/tar-writer.ts';
import type { Digest } from '../oci/digest.ts';
import { DamagedError } from '../support/errors.ts';
import { blobPath, type SentImage, type SentLayer } from './load-documents.ts';
import { missingLayers } from './missing-layers.ts';

/** A file that passed, or is held back. */
interface PassedFile extends LayerDigests {
  name: string;
  heldBack: Uint8Array | undefined;
}

/** The files of a one-way archive: each passes once and is never seen again, but for what may be a document. */
export class PassedFiles {
  readonly files: ArchiveFiles;
  private readonly name: string;
  private readonly admit: (size: number) => void;
  private readonly documents = new HeldDocuments();
  private readonly byFile = new Map<ArchivedFile, PassedFile>();
  private leftOut: ReadonlySet<Digest> = new Set();
  private count = 0;

  /**
   * @param name of the archive, for messages
   * @param admit throws when there is no room for a file of that size
   */
  constructor(name: string, admit: (size: number) => void) {
    this.name = name;
    this.admit = admit;
    this.files = new ArchiveFiles(name, {
      bytes: async (file) => this.document(file),
      diffId: async (file) => this.passed(file).diffId,
    });
  }

  /** Layers that the engine has: from now on they are passed over. */
  leaveOut(digests: ReadonlySet<Digest>): void {
    this.leftOut = digests;
  }

  /** Yields what of the entry goes on to the engine now. */
  async *take(entry: TarEntry): AsyncGenerator<Uint8Array> {
    const file = this.files.add(entry);
    if (entry.kind !== 'file' || this.isLeftOut(file)) return;
    this.count += 1;
    const name = `layers/${this.count}`;
    const holds = this.documents.mayHold(entry.size, await entry.start());
    const pieces: Uint8Array[] = [];
    if (!holds) {
      this.admit(entry.size);
      yield tarFileHeader(name, entry.size);
    }
    let digests: LayerDigests | undefined;
    for await (const piece of digested(entry.content(), this.where(file), (told) => {
      digests = told;
    })) {
      if (holds) pieces.push(piece);
      else yield piece;
    }
    if (!holds) yield tarPadding(entry.size);
    this.byFile.set(file, { name, heldBack: holds ? Buffer.concat(pieces) : undefined, ...digests! });
  }

  /** The image with what its layers turned out to be. @throws {DamagedError} when that is not what it promises */
  checked(image: ArchiveImage, index: ImageIndex): SentImage {
    return { image, layers: image.layers.map((layer) => this.checkedLayer(layer, index)) };
  }

  /** What a file that passed turned out to be. */
  digestsOf(file: ArchivedFile): LayerDigests {
    return this.passed(file);
  }

  allFiles(): ArchivedFile[] {
    return [...this.byFile.keys()];
  }

  /** Layers so small, or so much like JSON, that they were held back as documents. */
  heldBack(images: readonly SentImage[]): { name: string; bytes: Uint8Array }[] {
    const wanted = new Set(images.flatMap(({ layers }) => layers.map(({ name }) => name)));
    return [...this.byFile.values()].flatMap(({ name, heldBack }) =>
      heldBack !== undefined && wanted.has(name) ? [{ name, bytes: heldBack }] : [],
    );
  }

  private checkedLayer(layer: ArchiveLayer, index: ImageIndex): SentLayer {
    const { diffId } = layer;
    const digest = layer.digest ?? diffId;
    const file = layer.path === undefined ? undefined : this.files.find(layer.path);
    if (file === undefined || !this.byFile.has(file)) {
      if (!this.leftOut.has(digest)) throw missingLayers(this.name, index, [diffId]);
      const compression = /\+(gzip|zstd)$/.exec(layer.mediaType ?? '')?.[1];
      return { name: blobPath(digest), digest, size: layer.size, compression, diffId };
    }
    const passed = this.passed(file);
    mustMatch(this.name, file, passed.digest, layer.digest ?? passed.digest);
    mustMatch(this.name, file, passed.diffId, diffId);
    const { name, size, compression } = passed;
    return { name, digest: passed.digest, size, compression, diffId };
  }

  private isLeftOut({ path }: ArchivedFile): boolean {
    const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? [];
    return hex !== undefined && this.leftOut.has(`sha256:${hex}`);
  }

  private passed(file: ArchivedFile): PassedFile {
    const passed = this.byFile.get(file);
    if (passed !== undefined) return passed;
    throw new DamagedError(`${this.name}: ${file.path} is not a file`);
  }

  private document(file: ArchivedFile): Uint8Array {
    const { heldBack } = this.passed(file);
    if (heldBack !== undefined) return heldBack;
    throw new DamagedError(`${this.where(file)} is not the JSON it should be`);
  }

  private where(file: ArchivedFile): string {
    return `${this.name}: ${file.path} (at byte ${file.offset})`;
  }
}

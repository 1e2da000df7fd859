import type { ArchivedFile } from '../archive/archive-files.ts';
import { type ArchiveIndex, mustMatch } from '../archive/archive-index.ts';
import { digested, type LayerDigests } from '../archive/layer-digests.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../archive/tar-writer.ts';
import type { Digest } from '../oci/digest.ts';
import { closingDocuments, type SentImage } from './load-documents.ts';
import { inTar } from './one-way-stream.ts';
import type { PlannedLoad } from './plan-load.ts';

/**
 * The stream to the engine for an archive that is indexed: the layers it lacks, in the order in which they lie there, each
 * checked at its end, and then the documents that make the engine keep anything.
 * @param onSent is told of the layers' bytes
 * @param commit is called right before the documents
 * @throws {DamagedError} naming the entry that is not what it should be
 */
export async function* indexedStream(
  archive: string,
  { content }: ArchiveIndex,
  plan: PlannedLoad,
  onSent: (bytes: number) => void,
  commit: (images: SentImage[]) => void,
): AsyncGenerator<Uint8Array> {
  const digests = new Map<ArchivedFile, Digest>();
  for (const { file, name, diffId, digest } of plan.send) {
    yield tarFileHeader(name, file.size);
    let told: LayerDigests | undefined;
    const what = `${archive}: ${file.path} (at byte ${file.offset})`;
    for await (const piece of digested(content(file), what, (found) => {
      told = found;
    })) {
      onSent(piece.length);
      yield piece;
    }
    mustMatch(archive, file, told!.digest, digest ?? told!.digest);
    mustMatch(archive, file, told!.diffId, diffId);
    digests.set(file, told!.digest);
    yield tarPadding(file.size);
  }
  const images = plan.images.map(({ image, layers }) => ({
    image,
    layers: layers.map(({ file, ...layer }) => ({
      ...layer,
      digest: (file && digests.get(file)) ?? layer.digest,
    })),
  }));
  commit(images);
  for (const { name, bytes } of closingDocuments(images)) yield* inTar(name, bytes);
  yield tarEnd;
}

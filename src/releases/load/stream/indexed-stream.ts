import type { ArchivedFile } from '../../../archive/index/archive-files.ts';
import type { PlannedLoad } from '../plan/plan.ts';
import { closing } from './closing.ts';
import type { SentImage } from './documents.ts';
import { type LayerSource, type StoredLayer, sentLayer } from './sent-layer.ts';

/**
 * The stream to the engine for an archive that is indexed: the layers it lacks, in the order in which they lie there,
 * each checked at its end, and then the documents that make the engine keep anything.
 * @param commit is called right before the documents
 * @throws {DamagedError} naming the entry that is not what it should be
 */
export async function* indexedStream(
  plan: PlannedLoad,
  source: LayerSource,
  commit: (images: SentImage[]) => void,
): AsyncGenerator<Uint8Array> {
  const stored = new Map<ArchivedFile, StoredLayer>();
  for (const layer of plan.send) stored.set(layer.file, yield* sentLayer(layer, source));
  const images = plan.images.map(({ image, layers, held }) => ({
    image,
    held,
    layers: layers.map(({ file, ...layer }) => ({ ...layer, ...(file && stored.get(file)) })),
  }));
  commit(images);
  yield* closing(images);
}

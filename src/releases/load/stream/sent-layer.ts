import type { Compression } from '../../../archive/codec.ts';
import { decompress } from '../../../archive/decompress.ts';
import type { ArchivedFile } from '../../../archive/index/archive-files.ts';
import { mustMatch } from '../../../archive/index/archive-index.ts';
import { digested, digestsOf, type LayerDigests } from '../../../archive/index/layer-digests.ts';
import type { Digest } from '../../../oci/digest.ts';
import { counted } from '../../../support/counted.ts';
import { tarFileHeader, tarPadding } from '../../../support/tar/writer.ts';
import type { LayerToSend } from '../plan/plan.ts';
import type { SentLayer } from './documents.ts';

/** How the engine gets a layer, which may be another way than it lies in the archive. */
export type StoredLayer = Pick<SentLayer, 'digest' | 'size' | 'compression'>;

/** Where layers come from, and who is told of them. */
export interface LayerSource {
  /** Name of the archive, for messages. */
  archive: string;
  content(file: ArchivedFile): AsyncIterable<Uint8Array>;
  /** Told of the bytes that were read. */
  onRead(bytes: number): void;
  /** Told of the bytes that a compressed layer expands to; may throw. */
  onUnpacked(bytes: number): void;
  /** Whether the engine unpacks layers that are compressed like that. */
  unpacks(compression: Compression): boolean;
}

/**
 * Yields a layer as an entry of a tar, checked at its end.
 * @throws {DamagedError} when it is not what the archive promises
 */
export async function* sentLayer(
  layer: LayerToSend,
  source: LayerSource,
): AsyncGenerator<Uint8Array, StoredLayer> {
  const { compression } = layer;
  if (compression !== undefined && !source.unpacks(compression))
    return yield* expanded(layer, compression, source);
  return yield* asItLies(layer, source);
}

async function* asItLies(layer: LayerToSend, source: LayerSource): AsyncGenerator<Uint8Array, StoredLayer> {
  const { file, name } = layer;
  yield tarFileHeader(name, file.size);
  const content = counted(source.content(file), source.onRead);
  const told = yield* digested(content, whereOf(layer, source), source.onUnpacked);
  const { digest, size, compression } = asPromised(told, layer, source);
  yield tarPadding(file.size);
  return { digest, size, compression };
}

/** A tar tells sizes before content: read once to learn the size, and again to send. */
async function* expanded(
  layer: LayerToSend,
  compression: Compression,
  source: LayerSource,
): AsyncGenerator<Uint8Array, StoredLayer> {
  const { file, name, diffId } = layer;
  const where = whereOf(layer, source);
  const read = () => counted(source.content(file), source.onRead);
  const found = asPromised(await digestsOf(read(), where, source.onUnpacked), layer, source);
  yield tarFileHeader(name, found.uncompressedSize);
  const told = yield* digested(decompress(compression, read(), where), where);
  mustMatch(source.archive, file, told.digest, diffId);
  yield tarPadding(found.uncompressedSize);
  return { digest: diffId, size: found.uncompressedSize, compression: undefined };
}

function asPromised(
  found: LayerDigests,
  { file, digest, diffId }: { file: ArchivedFile; digest: Digest | undefined; diffId: Digest },
  { archive }: LayerSource,
): LayerDigests {
  mustMatch(archive, file, found.digest, digest ?? found.digest);
  mustMatch(archive, file, found.diffId, diffId);
  return found;
}

function whereOf({ file }: LayerToSend, { archive }: LayerSource): string {
  return `${archive}: ${file.path} (at byte ${file.offset})`;
}

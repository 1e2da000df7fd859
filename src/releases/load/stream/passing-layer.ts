import type { Compression } from '../../../archive/codec.ts';
import { codecOf } from '../../../archive/codec.ts';
import { decompress } from '../../../archive/decompress.ts';
import { legacyLayer } from '../../../archive/index/archive-index.ts';
import { digested, digestsOf, type LayerDigests } from '../../../archive/index/layer-digests.ts';
import type { Extent, Spool } from '../../../archive/spool.ts';
import type { TarEntry } from '../../../archive/tar/reader.ts';
import { isDiskFull, NoSpaceError } from '../../../support/errors.ts';
import { tarFileHeader, tarPadding } from '../../../support/tar/writer.ts';
import type { Room } from '../plan/space.ts';
import type { StoredLayer } from './sent-layer.ts';

/** The engine that layers go on to. */
export interface LayerReceiver {
  room: Room;
  /** Whether it unpacks layers that are compressed like that. */
  unpacks(compression: Compression): boolean;
  /** Where a layer is set aside that must be expanded for it, compressed as it is. */
  spool: Spool;
}

/**
 * Yields what may be a layer as an entry of a tar called `name`, hashed as it passes.
 * @param where names it in errors
 * @returns what it turned out to be
 */
export async function* passingLayer(
  entry: TarEntry,
  name: string,
  where: string,
  receiver: LayerReceiver | undefined,
): AsyncGenerator<Uint8Array, LayerDigests> {
  const compression = codecOf(await entry.start());
  if (compression !== undefined && receiver?.unpacks(compression) === false)
    return yield* expanded(entry, compression, name, where, receiver);
  receiver?.room.copied(entry.size);
  if (compression === undefined) receiver?.room.unpacked(entry.size);
  yield tarFileHeader(name, entry.size);
  const digests = yield* digested(contentOf(entry, where), where, receiver?.room.unpacked);
  yield tarPadding(entry.size);
  return digests;
}

/** A layer as the engine gets it. */
export function storedLayer(found: LayerDigests, receiver: LayerReceiver | undefined): StoredLayer {
  const { digest, size, compression, diffId, uncompressedSize } = found;
  const isExpanded = compression !== undefined && receiver?.unpacks(compression) === false;
  return isExpanded
    ? { digest: diffId, size: uncompressedSize, compression: undefined }
    : { digest, size, compression };
}

/** A tar tells sizes before content: a compressed layer tells its own at its end, and waits in the spool until then. */
async function* expanded(
  entry: TarEntry,
  compression: Compression,
  name: string,
  where: string,
  { room, spool }: LayerReceiver,
): AsyncGenerator<Uint8Array, LayerDigests> {
  const extents: Extent[] = [];
  const unpacked = (bytes: number) => {
    room.copied(bytes);
    room.unpacked(bytes);
  };
  const digests = await digestsOf(contentOf(entry, where), where, unpacked, async (piece) => {
    extents.push(await spool.write(piece).catch((error) => Promise.reject(asNoSpace(error, where))));
  });
  yield tarFileHeader(name, digests.uncompressedSize);
  yield* decompress(compression, taken(extents, spool), where);
  yield tarPadding(digests.uncompressedSize);
  return digests;
}

function contentOf(entry: TarEntry, where: string): AsyncIterable<Uint8Array> {
  return legacyLayer(entry.content(), entry.path, where);
}

async function* taken(extents: readonly Extent[], spool: Spool): AsyncGenerator<Uint8Array> {
  for (const extent of extents) yield await spool.take(extent);
}

function asNoSpace(error: unknown, where: string): unknown {
  if (!isDiskFull(error)) return error;
  return new NoSpaceError(`${where}: the disk of the state directory is full`, {
    advice:
      'Free some space there, or give the archive as a plain .tar file, from which nothing is set aside',
    cause: error,
  });
}

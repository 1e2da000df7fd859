import { type BundleFormat, blockFormat } from '../../archive/compress/block-format.ts';
import { compressStream } from '../../archive/compress/compress-stream.ts';
import { blobName, digestOf } from '../../oci/digest.ts';
import { layoutVersion } from '../../oci/layout.ts';
import { tarEnd, tarFile, tarFileHeader, tarPadding } from '../../support/tar/writer.ts';
import { encodeSnapshotIndex } from '../snapshot/index-json.ts';
import type { Outgoing } from './outgoing.ts';

/** How an export is compressed, and what its name ends in. */
export type ExportFormat = BundleFormat;

/**
 * One snapshot as an archive: an OCI image layout in a tar. The same snapshot, format and level give the same bytes.
 *
 * @throws {DamagedError} when a blob is not what its digest says.
 * @throws {UsageError} when the format has no such level
 */
export async function* exportArchive(
  outgoing: Outgoing,
  format: ExportFormat,
  level?: number,
): AsyncGenerator<Uint8Array> {
  yield* compressStream(exportTar(outgoing), await blockFormat(format, level));
}

/** What tells of the snapshot comes first, so that it can be taken in as it is read. */
async function* exportTar({ snapshot, manifest, tellingFirst, read }: Outgoing): AsyncGenerator<Uint8Array> {
  const digest = digestOf(manifest);
  const index = encodeSnapshotIndex([{ snapshot, manifest: { digest, size: manifest.length } }]);
  yield* tarFile('oci-layout', Buffer.from(layoutVersion));
  yield* tarFile('index.json', Buffer.from(index));
  yield* tarFile(blobName(digest), manifest);
  for (const blob of tellingFirst) {
    yield tarFileHeader(blobName(blob.digest), blob.size);
    yield* read(blob);
    yield tarPadding(blob.size);
  }
  yield tarEnd;
}

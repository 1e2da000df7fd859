import { blockFormat } from '../../archive/compress/block-format.ts';
import { compressStream } from '../../archive/compress/compress-stream.ts';
import { digestNamed } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, NotFoundError } from '../../support/errors.ts';
import { tarEnd, tarFile, tarFileHeader, tarPadding } from '../../support/tar/writer.ts';
import type { Entry } from '../entry.ts';
import type { ReadableRepository } from '../repository.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { ExportFormat } from './export-archive.ts';
import { findWholeImages, isDocument, type WholeImages } from './whole-images.ts';

/**
 * The images that a snapshot holds, as a bundle again: a tar that `docker load` reads. What tells of the images comes
 * first.
 *
 * @param whole of damaged images those that are left; left out: all of them
 * @throws {NotFoundError} when it holds none. @throws {DamagedError}
 * @throws {SignatureError} when it is encrypted and no key is at hand
 */
export async function* imageBundle(
  repository: ReadableRepository,
  snapshot: Snapshot,
  whole?: WholeImages,
): AsyncGenerator<Uint8Array> {
  const source = imagesOf(snapshot);
  for (const [path, bytes] of whole?.documents ?? []) yield* tarFile(path, bytes);
  const wanted = whole === undefined ? [isDocument, isBlob] : [(path: string) => whole.blobs.has(path)];
  const onGap = whole && (() => {});
  for (const isWanted of wanted) {
    for await (const entry of repository.entries(snapshot, source, onGap)) {
      if (entry.type === 'file' && isWanted(entry.path)) yield* tarEntry(repository, snapshot, entry);
    }
  }
  yield tarEnd;
}

/** Of damaged images those that are left, found by reading all of them. @throws {DamagedError} when nothing is */
export async function wholeImagesOf(
  repository: ReadableRepository,
  snapshot: Snapshot,
  context: Context,
): Promise<WholeImages> {
  try {
    return await findWholeImages(repository, snapshot, imagesOf(snapshot), context);
  } catch (error) {
    throw error instanceof DamagedError ? damagedImages(snapshot, error) : error;
  }
}

/** The bundle, compressed. @throws {UsageError} when the format has no such level */
export async function* exportImageBundle(
  repository: ReadableRepository,
  snapshot: Snapshot,
  format: ExportFormat,
  level?: number,
  whole?: WholeImages,
): AsyncGenerator<Uint8Array> {
  try {
    yield* compressStream(imageBundle(repository, snapshot, whole), await blockFormat(format, level));
  } catch (error) {
    throw error instanceof DamagedError ? damagedImages(snapshot, error) : error;
  }
}

/** Part of a bundle is of no use to an engine. */
function damagedImages(snapshot: Snapshot, cause: DamagedError): DamagedError {
  return new DamagedError(`exporting the images of snapshot ${shortId(snapshot.id)}: ${cause.message}`, {
    advice: 'Another snapshot may be whole; --skip-damaged takes the images that are',
    facts: cause.facts,
    cause,
  });
}

function imagesOf(snapshot: Snapshot): string {
  const images = snapshot.sources.find(({ kind }) => kind === 'images');
  if (images !== undefined) return images.name;
  const names = snapshot.sources.map(({ name }) => name);
  throw new NotFoundError(`snapshot ${shortId(snapshot.id)} holds no images`, {
    advice: `It holds ${names.join(', ')}; a source with images: true saves them with the next backup`,
    facts: { sources: names },
  });
}

function isBlob(path: string): boolean {
  return digestNamed(path) !== undefined;
}

async function* tarEntry(
  repository: ReadableRepository,
  snapshot: Snapshot,
  entry: Readonly<Entry>,
): AsyncGenerator<Uint8Array> {
  const { path, size = 0, holes = [] } = entry;
  let length = 0;
  yield tarFileHeader(path, size);
  for await (const piece of repository.content(snapshot, entry)) {
    length += piece.length;
    yield piece;
  }
  if (length !== size || holes.length > 0) {
    throw new DamagedError(
      `reading ${path} of snapshot ${shortId(snapshot.id)}: it has ${length} bytes, not ${size}`,
    );
  }
  yield tarPadding(size);
}

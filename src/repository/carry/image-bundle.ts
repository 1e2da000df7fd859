import { blockFormat } from '../../archive/compress/block-format.ts';
import { compressStream } from '../../archive/compress/compress-stream.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../../archive/tar/writer.ts';
import { digestNamed } from '../../oci/digest.ts';
import { DamagedError, NotFoundError } from '../../support/errors.ts';
import type { Entry } from '../entry.ts';
import type { ReadableRepository } from '../repository.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { ExportFormat } from './export-archive.ts';

/**
 * The images that a snapshot holds, as a bundle again: a tar that `docker load` reads. What tells of the images comes
 * first.
 *
 * @throws {NotFoundError} when it holds none. @throws {DamagedError}
 * @throws {SignatureError} when it is encrypted and no key is at hand
 */
export async function* imageBundle(
  repository: ReadableRepository,
  snapshot: Snapshot,
): AsyncGenerator<Uint8Array> {
  const source = imagesOf(snapshot);
  for (const isWanted of [isDocument, isBlob]) {
    for await (const entry of repository.entries(snapshot, source)) {
      if (entry.type === 'file' && isWanted(entry.path)) yield* tarEntry(repository, snapshot, entry);
    }
  }
  yield tarEnd;
}

/** The same, compressed. @throws {UsageError} when the format has no such level */
export async function* exportImageBundle(
  repository: ReadableRepository,
  snapshot: Snapshot,
  format: ExportFormat,
  level?: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* compressStream(imageBundle(repository, snapshot), await blockFormat(format, level));
  } catch (error) {
    throw error instanceof DamagedError ? damagedImages(snapshot, error) : error;
  }
}

/** Part of a bundle is of no use to an engine. */
function damagedImages(snapshot: Snapshot, cause: DamagedError): DamagedError {
  return new DamagedError(`exporting the images of snapshot ${shortId(snapshot.id)}: ${cause.message}`, {
    advice: `Another snapshot may be whole; restore --only ${imagesOf(snapshot)} --skip-damaged --to DIR writes out what can be read`,
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

const documents = ['oci-layout', 'index.json', 'manifest.json', 'dockerctl/release.json'];

function isDocument(path: string): boolean {
  return documents.includes(path);
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

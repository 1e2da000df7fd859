import * as z from 'zod';
import { parseJson } from '../../archive/index/archive-files.ts';
import { checked } from '../../archive/index/documents.ts';
import {
  encodeReleaseDocument,
  parseReleaseDocument,
  type ReleaseImage,
  releaseDocumentPath,
} from '../../archive/index/release-document.ts';
import { blobName } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import type { Entry } from '../entry.ts';
import type { ReadableRepository } from '../repository.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** What is left of the images of a snapshot. An image of which any byte is lost is of no use to an engine. */
export interface WholeImages {
  /** References of each image that is left out, or its config's digest, and what is wrong with it. */
  lost: { image: string; reason: string }[];
  /** What tells of the others, by path. */
  documents: ReadonlyMap<string, Uint8Array>;
  /** Paths of the blobs that those need. */
  blobs: ReadonlySet<string>;
}

/**
 * Reads the images of a snapshot through, the content of every blob with it.
 * @throws {DamagedError} when what tells of the images is lost, or no image is whole
 */
export async function findWholeImages(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  context: Context,
): Promise<WholeImages> {
  const found = await readThrough(repository, snapshot, source, context);
  const release = parseReleaseDocument(documentIn(found, releaseDocumentPath), releaseDocumentPath);
  const lost: WholeImages['lost'] = [];
  const whole = release.images.filter((image) => {
    const reason = reasonOfLoss(image, found);
    if (reason !== undefined)
      lost.push({ image: image.references.join(', ') || image.config.digest, reason });
    return reason === undefined;
  });
  if (whole.length === 0)
    throw new DamagedError(`none of them is whole: ${lost[0]?.reason ?? 'there is none'}`);
  const documents = new Map<string, Uint8Array>([
    [releaseDocumentPath, Buffer.from(encodeReleaseDocument({ ...release, images: whole }))],
    ['index.json', ociIndex(documentIn(found, 'index.json'), whole)],
    ['manifest.json', dockerManifest(documentIn(found, 'manifest.json'), whole)],
    ['oci-layout', documentIn(found, 'oci-layout')],
  ]);
  return { lost, documents, blobs: new Set(whole.flatMap(pathsOf)) };
}

function reasonOfLoss(image: ReleaseImage, { readable, damaged }: ReadThrough): string | undefined {
  const missing = pathsOf(image).find((path) => !readable.has(path));
  return missing && (damaged.get(missing) ?? `${missing} is lost`);
}

function documentIn({ documents, damaged }: ReadThrough, path: string): Uint8Array {
  const bytes = documents.get(path);
  if (bytes !== undefined) return bytes;
  throw new DamagedError(`${path}, which tells of them, is lost: ${damaged.get(path) ?? 'it is missing'}`);
}

interface ReadThrough {
  documents: Map<string, Uint8Array>;
  readable: Set<string>;
  /** Why a path cannot be read. */
  damaged: Map<string, string>;
}

async function readThrough(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  { progress, signal }: Context,
): Promise<ReadThrough> {
  const { bytes: total } = snapshot.sources.find(({ name }) => name === source)!;
  const found: ReadThrough = { documents: new Map(), readable: new Set(), damaged: new Map() };
  const task = progress.begin('reading the images through', { unit: 'bytes', total });
  try {
    for await (const entry of repository.entries(snapshot, source, () => {})) {
      signal.throwIfAborted();
      if (entry.type === 'file')
        await readFile(repository, snapshot, entry, found, (read) => task.advance(read));
    }
    return found;
  } finally {
    task.end();
  }
}

async function readFile(
  repository: ReadableRepository,
  snapshot: Snapshot,
  entry: Entry,
  { documents, readable, damaged }: ReadThrough,
  advance: (bytes: number) => void,
): Promise<void> {
  const { path, size = 0 } = entry;
  if (isDocument(path) && size > mostDocument) return void damaged.set(path, `it has ${size} bytes`);
  const pieces: Uint8Array[] = [];
  let read = 0;
  try {
    for await (const piece of repository.content(snapshot, entry)) {
      read += piece.length;
      if (read > size) break;
      if (isDocument(path)) pieces.push(piece);
      advance(piece.length);
    }
    if (read !== size)
      return void damaged.set(path, `it has ${read} bytes${read > size ? ' or more' : ''}, not ${size}`);
    if (isDocument(path)) documents.set(path, Buffer.concat(pieces));
    readable.add(path);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    damaged.set(path, messageOf(error.cause ?? error));
  }
}

/** Bytes; more than thousands of images need, and few enough to be held at once. */
const mostDocument = 16 * 1024 * 1024;

/** Whether a file of a bundle tells of its images. */
export function isDocument(path: string): boolean {
  return ['oci-layout', 'index.json', 'manifest.json', releaseDocumentPath].includes(path);
}

function pathsOf({ manifest, config, layers }: ReleaseImage): string[] {
  return [manifest, config, ...layers].map(({ digest }) => blobName(digest));
}

const indexShape = z.looseObject({ manifests: z.array(z.looseObject({ digest: z.string() })) });

function ociIndex(bytes: Uint8Array, whole: readonly ReleaseImage[]): Uint8Array {
  const kept = new Set<string>(whole.map(({ manifest }) => manifest.digest));
  const index = checked(indexShape, parseJson(bytes, 'index.json'), 'index.json');
  const manifests = index.manifests.filter(({ digest }) => kept.has(digest));
  return Buffer.from(JSON.stringify({ ...index, manifests }));
}

const dockerShape = z.array(z.looseObject({ Config: z.string() }));

function dockerManifest(bytes: Uint8Array, whole: readonly ReleaseImage[]): Uint8Array {
  const kept = new Set<string>(whole.map(({ config }) => blobName(config.digest)));
  const images = checked(dockerShape, parseJson(bytes, 'manifest.json'), 'manifest.json');
  return Buffer.from(JSON.stringify(images.filter(({ Config }) => kept.has(Config))));
}

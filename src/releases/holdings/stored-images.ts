import { streamSource } from '../../archive/byte-source.ts';
import { ArchiveFiles } from '../../archive/index/archive-files.ts';
import { imagesOfOciLayout } from '../../archive/index/eras/oci-layout.ts';
import type { ArchiveImage, ImageIndex } from '../../archive/index/image-index.ts';
import { indexOneWay } from '../../archive/index/one-way-index.ts';
import { layersLeftOut } from '../../archive/index/release-document.ts';
import { readTar } from '../../archive/tar/reader.ts';
import type { Engine, EngineInfo, ImageDetails } from '../../engine/engine.ts';
import { storedDocument } from '../../engine/images/content-store.ts';
import { blobName, type Digest, hexOf, isDigest } from '../../oci/digest.ts';
import type { ReleaseRecord } from '../catalog/catalog.ts';
import type { EngineImages } from '../engine-images.ts';
import { formsOf } from './containerd.ts';

/** An image of a containerd store with its manifest, which tells in what form its layers are there. */
export interface StoredImage {
  /** The engine's: the digest of its manifest, or of an index that leads to it. */
  id: string;
  image: ArchiveImage;
}

/** Images that are to be loaded, out of an archive that may be a bundle. */
export interface WantedImages {
  images: readonly ArchiveImage[];
  release: ImageIndex['release'];
}

/**
 * Looks at the manifests of those images of a containerd store that have a layer in common with what is to be loaded.
 * Where they cannot be read, the engine is asked for a whole image only if a layer of it is in no archive.
 */
export async function storedImages(
  held: EngineImages,
  catalog: readonly ReleaseRecord[],
  wanted: WantedImages,
  { engine, info, signal }: { engine: Engine; info: EngineInfo; signal: AbortSignal },
): Promise<StoredImage[]> {
  if (held.store === 'classic') return [];
  const diffIds = new Set<string>(wanted.images.flatMap(({ layers }) => layers.map(({ diffId }) => diffId)));
  const related = held.all.filter((image) => image.diffIds.some((diffId) => diffIds.has(diffId)));
  const read = await Promise.all(related.map((image) => readStoredImage(image, info)));
  const stored = read.filter((image) => image !== undefined);
  const leftOut = wanted.release ? layersLeftOut(wanted.release.document) : new Set<Digest>();
  for (const [i, image] of related.entries()) {
    const known = formsOf(held, catalog, stored);
    const isAsked = image.diffIds.some((diffId) => leftOut.has(diffId as Digest) && !known.has(diffId));
    if (read[i] !== undefined || !isAsked) continue;
    const streamed = await readStreamedImage(image, engine, signal);
    if (streamed !== undefined) stored.push(streamed);
  }
  return stored;
}

/** Reads it where the store lies on this host. @returns `undefined` when that cannot be done */
async function readStoredImage(details: ImageDetails, info: EngineInfo): Promise<StoredImage | undefined> {
  try {
    const documents = await documentsBelow(details.id, info);
    const files = new ArchiveFiles(`the image ${details.id}`, {
      bytes: async ({ path }) => documents.get(path)!,
      diffId: () => Promise.reject(new Error('documents have no diff ids')),
    });
    for (const [path, { length }] of documents)
      files.add({ path, kind: 'file', link: undefined, size: length, offset: 0 });
    return ofThisHost(details, (await imagesOfOciLayout(files)).images);
  } catch {
    return undefined; // A store that we cannot make sense of tells us nothing.
  }
}

/** Takes it out of what `docker save` gives. That is every byte of the image: where nothing else tells. */
async function readStreamedImage(
  details: ImageDetails,
  engine: Engine,
  signal: AbortSignal,
): Promise<StoredImage | undefined> {
  const name = `the image ${details.id}`;
  const source = streamSource(await engine.images.save([details.id], { signal }), name);
  try {
    const entries = () => readTar(source, name);
    const { index } = await indexOneWay({ name, entries }, { stopAtLayers: false });
    return ofThisHost(details, index.images);
  } finally {
    await source.close();
  }
}

/** An index, and the manifests and configs that it leads to, by their path in an image layout. */
async function documentsBelow(id: string, info: EngineInfo): Promise<Map<string, Uint8Array>> {
  const documents = new Map<string, Uint8Array>();
  const follow = async (digest: string, depth: number) => {
    const bytes = isDigest(digest) ? await storedDocument(info, hexOf(digest)) : undefined;
    if (bytes === undefined || !isDigest(digest)) return undefined;
    documents.set(blobName(digest), bytes);
    const { manifests = [], config } =
      depth === 0 ? {} : (JSON.parse(Buffer.from(bytes).toString()) as Links);
    for (const { digest: below } of manifests) await follow(below, depth - 1);
    if (config !== undefined) await follow(config.digest, 0);
    return { mediaType: '', digest, size: bytes.length };
  };
  const top = await follow(id, 3);
  documents.set('index.json', Buffer.from(JSON.stringify({ manifests: top === undefined ? [] : [top] })));
  return documents;
}

interface Links {
  manifests?: { digest: string }[];
  config?: { digest: string };
}

/** Of an image for many platforms the engine means the one that it tells the layers of. */
function ofThisHost({ id, diffIds }: ImageDetails, images: readonly ArchiveImage[]): StoredImage | undefined {
  const image = images.find(
    ({ layers }) =>
      layers.length === diffIds.length && layers.every(({ diffId }, i) => diffId === diffIds[i]),
  );
  return image && { id, image };
}

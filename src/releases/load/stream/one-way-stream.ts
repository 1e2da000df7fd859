import type { Archive } from '../../../archive/archive.ts';
import type { ArchiveFiles } from '../../../archive/index/archive-files.ts';
import { type ArchiveImage, type ImageIndex, readImages } from '../../../archive/index/image-index.ts';
import { layersLeftOut, releaseDocumentPath } from '../../../archive/index/release-document.ts';
import type { Digest } from '../../../oci/digest.ts';
import { DamagedError } from '../../../support/errors.ts';
import { recognized } from '../../holdings/held-image.ts';
import type { Holdings } from '../../holdings/holdings.ts';
import type { WantedImages } from '../../holdings/stored-images.ts';
import { missingLayers } from '../plan/missing-layers.ts';
import { layersHeldByAll } from '../plan/plan.ts';
import { closing } from './closing.ts';
import type { SentImage } from './documents.ts';
import type { PassedFiles } from './passed-files.ts';
import type { StoredLayer } from './sent-layer.ts';

/** What the stream asks whoever loads. */
export interface Decisions {
  /** Which images are to be loaded; asked once, as soon as the documents are known. */
  choose(index: ImageIndex): Promise<ArchiveImage[]>;
  /** What the engine has of them, and need not be sent. */
  holdings(wanted: WantedImages): Promise<Holdings>;
  /** Told right before the documents that make the engine keep anything. */
  commit(images: SentImage[]): Promise<void>;
}

/**
 * The stream to the engine for an archive that can be read only once. Documents are held back; what may be a layer goes
 * on at once, under a name of ours, hashed as it passes. When all of the archive is known, every layer that is to be
 * loaded is checked, and only then follow the documents that make the engine keep anything.
 *
 * A bundle's documents come first: of it, what the engine has is not sent.
 * @throws {DamagedError} naming the entry that is not what it should be
 */
export async function* oneWayStream(
  archive: Archive,
  passed: PassedFiles,
  decide: Decisions,
): AsyncGenerator<Uint8Array> {
  try {
    yield* layersAndDocuments(archive, passed, decide);
  } finally {
    await passed.close();
  }
}

async function* layersAndDocuments(
  archive: Archive,
  passed: PassedFiles,
  decide: Decisions,
): AsyncGenerator<Uint8Array> {
  let early: { index: ImageIndex; chosen: ArchiveImage[] } | undefined;
  for await (const entry of archive.entries()) {
    if (early === undefined && entry.path.startsWith('blobs/') && documentsCameFirst(passed.files)) {
      const index = await knownSoFar(passed.files);
      if (index !== undefined) {
        early = { index, chosen: await decide.choose(index) };
        const holdings = await decide.holdings({ images: early.chosen, release: index.release });
        const held = layersHeldByAll(early.chosen, holdings);
        requireBase(archive.name, index, early.chosen, held);
        passed.leaveOut(held);
      }
    }
    yield* passed.take(entry);
  }
  const index = await readImages(passed.files);
  if (early !== undefined) requireSameRelease(archive.name, early.index, index);
  const images = early === undefined ? await decide.choose(index) : again(index, early.chosen);
  const holdings = await decide.holdings({ images, release: index.release });
  passed.leaveOut(layersHeldByAll(images, holdings));
  const sent = passed.checked(images, index).map((image) => recognized(image, holdings));
  yield* passed.heldBack(sent);
  await decide.commit(sent);
  yield* closing(sent);
}

function documentsCameFirst(files: ArchiveFiles): boolean {
  return files.find(releaseDocumentPath) !== undefined && files.find('manifest.json') !== undefined;
}

/**
 * What was chosen, by a signature perhaps, was chosen by the first release document: a later one may not take its
 * place.
 */
function requireSameRelease(name: string, before: ImageIndex, now: ImageIndex): void {
  const [judged, found] = [before.release?.bytes, now.release?.bytes];
  if (judged !== undefined && found !== undefined && Buffer.compare(judged, found) === 0) return;
  throw new DamagedError(`${name}: ${releaseDocumentPath} is in it twice, and they differ`, {
    advice: 'Get the archive again from where it came from',
  });
}

/** A delta whose base is missing is not worth reading on. */
function requireBase(
  name: string,
  index: ImageIndex,
  images: readonly ArchiveImage[],
  held: ReadonlyMap<Digest, StoredLayer>,
): void {
  const leftOut = index.release && layersLeftOut(index.release.document);
  const layers = images.flatMap((image) => image.layers);
  const missing = layers.filter(({ diffId, digest }) => leftOut?.has(diffId) && !held.has(digest ?? diffId));
  const diffIds = missing.map(({ diffId }) => diffId);
  if (diffIds.length > 0) throw missingLayers(name, index, diffIds);
}

/** @returns `undefined` while documents are still to come */
async function knownSoFar(files: ArchiveFiles): Promise<ImageIndex | undefined> {
  const index = await readImages(files).catch(() => undefined);
  const whole = index?.absent.length === 0 && index.images.every(({ manifest }) => manifest !== undefined);
  return whole ? index : undefined;
}

/** The images that were chosen, with what is known of their layers by now. */
function again(index: ImageIndex, chosen: readonly ArchiveImage[]): ArchiveImage[] {
  const configs = new Set(chosen.map(({ config }) => config.digest));
  return index.images.filter(({ config }) => configs.has(config.digest));
}

import type { CatalogImage } from './catalog/catalog.ts';
import { type EngineImages, engineImages, hasLayers } from './engine-images.ts';
import type { ImageHost } from './image-host.ts';

export interface VerifiedRelease {
  release: string;
  images: { reference: string; problem: string | undefined }[];
}

/**
 * Whether the engine still holds exactly the images of a release, under their names.
 * @throws {NotFoundError} when the catalog has no such release
 */
export async function verifyRelease(
  release: string,
  { engine, catalog }: ImageHost,
): Promise<VerifiedRelease> {
  const record = await catalog.find(release);
  const held = await engineImages(engine, await engine.info());
  const images = record.images.flatMap((image) =>
    namesOf(image).map((reference) => ({ reference, problem: problemOf(image, reference, held) })),
  );
  return { release, images };
}

function namesOf({ references, config }: CatalogImage): string[] {
  return references.length === 0 ? [config] : references;
}

/** Ids prove the config, diff ids the layers; an id of another store is no contradiction. */
function problemOf(image: CatalogImage, reference: string, held: EngineImages): string | undefined {
  const found = held.byTag.get(reference) ?? held.byId.get(reference) ?? held.byId.get(image.manifest);
  if (found === undefined) return 'is missing';
  const diffIds = image.layers.map(({ diffId }) => diffId);
  if (!hasLayers(found, diffIds)) return `is another image: ${found.id}`;
  if (held.store === 'classic' && found.id !== image.config) return `has another config: ${found.id}`;
  return undefined;
}

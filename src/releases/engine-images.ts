import type { Engine, EngineInfo, ImageDetails } from '../engine/engine.ts';
import { unlessGone } from '../engine/unless-gone.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestOf, type SentImage } from './load/stream/documents.ts';

/** What the engine holds: how it was before a load, and what need not be sent. */
export interface EngineImages {
  store: EngineInfo['store'];
  all: ImageDetails[];
  /** By `name:tag`. */
  byTag: ReadonlyMap<string, ImageDetails>;
  byId: ReadonlyMap<string, ImageDetails>;
}

/** Asks the engine for all of its images. One that goes meanwhile is left out. */
export async function engineImages(
  engine: Engine,
  { store }: Pick<EngineInfo, 'store'>,
): Promise<EngineImages> {
  const summaries = await engine.images.list();
  const details = await Promise.all(summaries.map(({ id }) => engine.images.inspect(id)));
  const all = details.filter((image) => image !== undefined);
  return {
    store,
    all,
    byTag: new Map(all.flatMap((image) => image.tags.map((tag) => [tag, image] as const))),
    byId: new Map(all.map((image) => [image.id, image])),
  };
}

/** The id that an image has, or gets, there. */
export function idIn({ store }: EngineImages, { image, layers }: SentImage): Digest {
  return store === 'classic' ? image.config.digest : manifestOf(image, layers).descriptor.digest;
}

/** Whether `image` has exactly these layers. An image's id alone proves nothing: it differs between stores. */
export function hasLayers(image: ImageDetails | undefined, diffIds: readonly Digest[]): boolean {
  return (
    image !== undefined &&
    image.diffIds.length === diffIds.length &&
    image.diffIds.every((diffId, i) => diffId === diffIds[i])
  );
}

/** Takes an image or one of its names away. No-op when it is gone. */
export async function removeIfThere(engine: Engine, image: string): Promise<void> {
  await unlessGone(engine.images.remove(image));
}

import type { Engine, ImageDetails } from '../engine/engine.ts';
import type { Digest } from '../oci/digest.ts';

/** What the engine holds: how it was before a load, and what need not be sent. */
export interface EngineImages {
  all: ImageDetails[];
  /** By `name:tag`. */
  byTag: ReadonlyMap<string, ImageDetails>;
}

export async function engineImages(engine: Engine): Promise<EngineImages> {
  const summaries = await engine.images.list();
  const details = await Promise.all(summaries.map(({ id }) => engine.images.inspect(id)));
  const all = details.filter((image) => image !== undefined);
  const byTag = new Map(all.flatMap((image) => image.tags.map((tag) => [tag, image] as const)));
  return { all, byTag };
}

/** Whether `image` has exactly these layers. An image's id tells nothing: it differs between stores. */
export function hasLayers(
  image: ImageDetails | undefined,
  diffIds: readonly Digest[],
): image is ImageDetails {
  return (
    image !== undefined &&
    image.diffIds.length === diffIds.length &&
    image.diffIds.every((diffId, i) => diffId === diffIds[i])
  );
}

import { type EngineImages, heldImage } from '../engine-images.ts';
import { manifestOf, type SentImage } from './documents.ts';
import type { MovedTag } from './load.ts';
import type { PlannedLoad } from './plan.ts';

/** The names that a load takes away from other images. */
export function replacedTags(images: readonly SentImage[], before: EngineImages): MovedTag[] {
  return images.flatMap(({ image, layers }) => {
    const same = heldImage(before, image, manifestOf(image, layers).descriptor.digest)?.id;
    const at = image.references.map((reference) => ({ reference, from: before.byTag.get(reference)?.id }));
    return at.filter((tag): tag is MovedTag => tag.from !== undefined && tag.from !== same);
  });
}

/** Whether there is nothing to do at all: the engine has every image under every name. */
export function isInPlace({ images }: PlannedLoad, before: EngineImages): boolean {
  return images.every(({ image, layers, present }) => {
    const id = heldImage(before, image, manifestOf(image, layers).descriptor.digest)?.id;
    return present && image.references.every((reference) => before.byTag.get(reference)?.id === id);
  });
}

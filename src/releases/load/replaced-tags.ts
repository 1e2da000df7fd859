import type { Progress } from '../../support/progress.ts';
import { type EngineImages, idIn } from '../engine-images.ts';
import type { SentImage } from './documents.ts';
import type { MovedTag } from './load.ts';
import type { PlannedLoad } from './plan.ts';

/** The names that a load takes away from other images, each with a warning. */
export function warnOfReplaced(
  images: readonly SentImage[],
  before: EngineImages,
  progress: Progress,
): MovedTag[] {
  const moved = replacedTags(images, before);
  for (const { reference } of moved) progress.warn(`${reference} was another image and becomes this one`);
  return moved;
}

function replacedTags(images: readonly SentImage[], before: EngineImages): MovedTag[] {
  return images.flatMap(({ image, layers }) => {
    const id = idIn(before, { image, layers });
    const at = image.references.map((reference) => ({ reference, from: before.byTag.get(reference)?.id }));
    return at.filter((tag): tag is MovedTag => tag.from !== undefined && tag.from !== id);
  });
}

/** Whether there is nothing to do at all: the engine has every image under every name. */
export function isInPlace({ images, send }: PlannedLoad, before: EngineImages): boolean {
  if (send.length > 0) return false;
  return images.every(
    ({ image, held }) =>
      held !== undefined &&
      image.references.every((reference) => before.byTag.get(reference)?.id === held.id),
  );
}

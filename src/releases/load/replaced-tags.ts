import type { Engine } from '../../engine/engine.ts';
import type { Progress } from '../../support/progress.ts';
import { type EngineImages, idIn } from '../engine-images.ts';
import type { SentImage } from './documents.ts';
import type { MovedTag } from './load.ts';

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
  return images.flatMap(({ image, layers, held }) => {
    const id = held?.id ?? idIn(before, { image, layers });
    const at = image.references.map((reference) => ({ reference, from: before.byTag.get(reference)?.id }));
    return at.filter((tag): tag is MovedTag => tag.from !== undefined && tag.from !== id);
  });
}

/** Gives images that the engine had already the names that they lack. */
export async function nameHeld(engine: Engine, images: readonly SentImage[]): Promise<void> {
  for (const { image, held } of images) {
    if (held === undefined) continue;
    const lacking = image.references.filter((reference) => !held.tags.includes(reference));
    for (const reference of lacking) await engine.images.tag(held.id, reference);
  }
}

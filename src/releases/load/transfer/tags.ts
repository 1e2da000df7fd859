import type { Engine } from '../../../engine/engine.ts';
import { unlessGone } from '../../../engine/unless-gone.ts';
import type { Progress } from '../../../support/progress.ts';
import { type EngineImages, idIn, removeIfThere } from '../../engine-images.ts';
import type { ReplacedTag } from '../load.ts';
import type { SentImage } from '../stream/documents.ts';

/** The names that a load takes away from other images, each with a warning. */
export function warnOfReplaced(
  images: readonly SentImage[],
  before: EngineImages,
  progress: Progress,
): ReplacedTag[] {
  const moved = replacedTags(images, before);
  for (const { reference } of moved) progress.warn(`${reference} was another image and becomes this one`);
  return moved;
}

function replacedTags(images: readonly SentImage[], before: EngineImages): ReplacedTag[] {
  return images.flatMap(({ image, layers, held }) => {
    const id = held?.id ?? idIn(before, { image, layers });
    const at = image.references.map((reference) => ({ reference, from: before.byTag.get(reference)?.id }));
    return at.filter((tag): tag is ReplacedTag => tag.from !== undefined && tag.from !== id);
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

/** Nobody can own it (RFC 6761): what is called so is ours. */
const keeper = 'dockerctl.invalid/replaced';

/**
 * Gives images that are about to lose a name another one for as long as a load takes: the containerd store drops an
 * image with its last name, and then there would be no way back.
 */
export async function keepReplaced(
  engine: Engine,
  moved: readonly ReplacedTag[],
  { store }: EngineImages,
): Promise<void> {
  if (store !== 'containerd') return;
  for (const [i, { from }] of moved.entries()) await unlessGone(engine.images.tag(from, `${keeper}:${i}`));
}

/** Takes those names away again, also those that a killed load left. */
export async function releaseReplaced(engine: Engine, { store }: EngineImages): Promise<void> {
  if (store !== 'containerd') return;
  const tags = (await engine.images.list()).flatMap((image) => image.tags);
  for (const tag of tags) if (tag.startsWith(`${keeper}:`)) await removeIfThere(engine, tag);
}

import type { Engine } from '../../../engine/engine.ts';
import { unlessGone } from '../../../engine/unless-gone.ts';
import { type EngineImages, removeIfThere } from '../../engine-images.ts';
import { manifestOf, type SentImage } from '../stream/documents.ts';

/** Takes back what an engine made of a load that failed: names point where they pointed, images it had not are gone. */
export async function undoLoad(
  engine: Engine,
  sent: readonly SentImage[],
  before: EngineImages,
): Promise<void> {
  const known = new Set(before.all.map(({ id }) => id));
  for (const { image, layers } of sent) {
    for (const reference of image.references) await restoreTag(engine, reference, before);
    for (const id of [image.config.digest, manifestOf(image, layers).descriptor.digest]) {
      if (!known.has(id)) await removeIfThere(engine, id);
    }
  }
}

async function restoreTag(engine: Engine, reference: string, before: EngineImages): Promise<void> {
  const was = before.byTag.get(reference);
  const is = await engine.images.inspect(reference);
  if (is === undefined || is.id === was?.id) return;
  if (was === undefined) await removeIfThere(engine, reference);
  else await unlessGone(engine.images.tag(was.id, reference));
}

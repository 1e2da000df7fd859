import type { Engine } from '../../engine/engine.ts';
import { NotFoundError } from '../../support/errors.ts';
import type { EngineImages } from '../engine-images.ts';
import { manifestOf, type SentImage } from './documents.ts';
import type { MovedTag } from './load.ts';

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
  else await engine.images.tag(was.id, reference);
}

async function removeIfThere(engine: Engine, image: string): Promise<void> {
  try {
    await engine.images.remove(image);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/** Nobody can own it (RFC 6761): what is called so is ours. */
const keeper = 'dockerctl.invalid/replaced';

/**
 * Gives images that are about to lose a name another one for as long as a load takes: the containerd store drops an image
 * with its last name, and then there would be no way back.
 */
export async function keepReplaced(
  engine: Engine,
  moved: readonly MovedTag[],
  { store }: EngineImages,
): Promise<void> {
  if (store !== 'containerd') return;
  for (const [i, { from }] of moved.entries()) await engine.images.tag(from, `${keeper}:${i}`);
}

/** Takes those names away again, also those that a killed load left. */
export async function releaseReplaced(engine: Engine, { store }: EngineImages): Promise<void> {
  if (store !== 'containerd') return;
  const tags = (await engine.images.list()).flatMap((image) => image.tags);
  for (const tag of tags) if (tag.startsWith(`${keeper}:`)) await removeIfThere(engine, tag);
}

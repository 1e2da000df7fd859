import type { Engine } from '../../../engine/engine.ts';
import { FailedError } from '../../../support/errors.ts';
import { type EngineImages, hasLayers } from '../../engine-images.ts';
import type { LoadedImage } from '../load.ts';
import { manifestOf, type SentImage } from '../stream/documents.ts';

/**
 * Asks the engine whether it holds what it was sent, by diff ids: an engine's answer to a load is no proof, and ids
 * differ between stores.
 * @throws {FailedError} when an image or one of its names is not what was sent
 */
export async function checkLoaded(
  engine: Engine,
  sent: readonly SentImage[],
  before: EngineImages,
): Promise<LoadedImage[]> {
  const known = new Set(before.all.map(({ id }) => id));
  const loaded: LoadedImage[] = [];
  for (const { image, layers, held: inPlace } of sent) {
    const ids = [image.config.digest, manifestOf(image, layers).descriptor.digest];
    const diffIds = layers.map(({ diffId }) => diffId);
    const names =
      image.references.length > 0 ? image.references : [ids.find((id) => known.has(id)) ?? ids[0]!];
    for (const name of names) {
      const held = (await engine.images.inspect(name)) ?? (await engine.images.inspect(ids[1]!));
      if (hasLayers(held, diffIds)) continue;
      const what = held === undefined ? 'has no such image' : 'holds another image under that name';
      throw new FailedError(`loading ${name}: the engine said it was loaded, but ${what}`, {
        advice: "The engine's own log may say why, if nobody else removes or prunes images",
        facts: { vanished: held === undefined },
      });
    }
    const { references, platform, config } = image;
    const present = inPlace !== undefined || ids.some((id) => known.has(id));
    loaded.push({ references, config: config.digest, platform, present });
  }
  return loaded;
}

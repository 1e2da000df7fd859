import type { Deployment } from '../deployment/deployment.ts';
import type { Engine } from '../engine/engine.ts';
import type { Catalog } from '../releases/catalog/catalog.ts';
import { loadImages } from '../releases/load/load.ts';
import type { Context } from '../support/context.ts';
import { NotFoundError } from '../support/errors.ts';
import type { LoadImages } from './host.ts';

/**
 * Loads missing images from the archives of a deployment, through the same verification as any other archive: one
 * archive after the other until nothing is missing, and of each only what is.
 */
export function loadFromArchives(
  { release, images: { signers } }: Deployment,
  engine: Engine,
  catalog: Catalog,
  context: Context,
): LoadImages {
  return async (images, archives) => {
    let failure: NotFoundError | undefined;
    for (const archive of archives) {
      const missing = await missingOf(images, engine);
      if (missing.length === 0) return;
      const options = { engine, catalog, release, signers, select: [anyOf(missing)] };
      await loadImages([archive], options, context).catch((error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error;
        // One that holds none of them is passed over; one that lacks its base or a volume may be the one.
        if (error.facts.pattern === undefined) failure ??= error;
      });
    }
    if (failure !== undefined && (await missingOf(images, engine)).length > 0) throw failure;
  };
}

async function missingOf(images: readonly string[], engine: Engine): Promise<string[]> {
  const found = await Promise.all(images.map((image) => engine.images.inspect(image)));
  return images.filter((_, index) => found[index] === undefined);
}

/** One pattern for several references, so that an archive with one of them will do. */
function anyOf(images: readonly string[]): string {
  const tagged = images.map((image) => (/:[^/]*$/.test(image) ? image : `${image}:latest`));
  return tagged.length === 1 ? (tagged[0] ?? '') : `{${tagged.join(',')}}`;
}

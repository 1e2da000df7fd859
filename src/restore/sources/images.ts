import { Readable } from 'node:stream';
import { imageBundle } from '../../repository/carry/image-bundle.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { NotFoundError } from '../../support/errors.ts';
import type { RestoreHost } from '../host.ts';
import type { ServiceState } from '../services/services.ts';

/** Loads the images that a snapshot carries: they are a bundle, and are verified like any other. */
export async function loadSnapshotImages(
  repository: ReadableRepository,
  snapshot: Snapshot,
  { services }: RestoreHost,
  context: Context,
): Promise<void> {
  const stream = Readable.from(imageBundle(repository, snapshot), { objectMode: false });
  await services.loadImages({ name: `images of snapshot ${shortId(snapshot.id)}`, stream }, context);
}

/** Images that are needed to create some of `names`, and are neither in the engine nor in archives. */
export function lackedImages(names: readonly string[], services: readonly ServiceState[]): string[] {
  const lacking = services.filter((service) => isNeeded(names, service) && service.imageAt === 'nowhere');
  return [...new Set(lacking.map(({ image }) => image))];
}

/** Whether creating some of `names` needs an image that the engine does not have. */
export function needsImages(names: readonly string[], services: readonly ServiceState[]): boolean {
  return services.some((service) => isNeeded(names, service) && service.imageAt !== 'engine');
}

function isNeeded(names: readonly string[], { name, state }: ServiceState): boolean {
  return names.includes(name) && state === 'missing';
}

/**
 * @param areSpoilt the snapshot has images, which are damaged
 * @throws {NotFoundError} naming the images that services need and nobody has
 */
export function refuseMissingImages(images: readonly string[], areSpoilt = false): void {
  if (images.length === 0) return;
  const why = areSpoilt ? ', and those of the snapshot are damaged' : '';
  throw new NotFoundError(`restoring: the engine lacks ${images.length} images: ${images.join(', ')}${why}`, {
    advice: 'Load them first: dockerctl images load FILE',
    facts: { images },
  });
}

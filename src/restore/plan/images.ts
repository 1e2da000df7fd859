import { NotFoundError } from '../../support/errors.ts';
import type { ServiceState } from '../services/services.ts';

/** Images that are needed to create some of `names`, and are neither in the engine nor in archives. */
export function lackedImages(names: readonly string[], services: readonly ServiceState[]): string[] {
  const lacking = services.filter((service) => isNeeded(names, service) && service.imageAt === 'nowhere');
  return [...new Set(lacking.map(({ image }) => image))];
}

/**
 * Whether the images of a snapshot are asked of it: creating a service needs one that the engine does not have; where
 * they were chosen by name, any service that there is would.
 */
export function needsImages(
  start: readonly string[],
  { services, partial }: { services: readonly ServiceState[]; partial: boolean },
): boolean {
  return services.some((service) => (partial || isNeeded(start, service)) && service.imageAt !== 'engine');
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

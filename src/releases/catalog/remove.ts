import type { Context } from '../../support/context.ts';
import { FailedError } from '../../support/errors.ts';
import { type EngineImages, engineImages, hasLayers, removeIfThere } from '../engine-images.ts';
import type { ImageHost } from '../image-host.ts';
import { withImagesLock } from '../lock.ts';
import type { CatalogImage, ReleaseRecord } from './catalog.ts';

/** What removing a release takes from the engine. */
export interface RemovalPlan {
  release: string;
  /** Names that go; an image goes with its last one. Layers that other images share stay. */
  remove: { reference: string; id: string }[];
  /** Names that stay: another release has them too, or they point at something else by now. */
  keep: { reference: string; why: string }[];
}

/**
 * @param gone releases that will have gone before
 * @throws {NotFoundError} when the catalog has no such release
 * @throws {FailedError} when a container uses one of its images
 */
export async function planRemoval(
  release: string,
  { engine, catalog }: ImageHost,
  gone: readonly string[] = [],
): Promise<RemovalPlan> {
  const record = await catalog.find(release);
  const others = (await catalog.releases()).filter((other) => ![release, ...gone].includes(other.release));
  const info = await engine.info();
  const [held, containers] = await Promise.all([engineImages(engine, info), engine.containers.list()]);
  const plan: RemovalPlan = { release, remove: [], keep: [] };
  for (const image of record.images) {
    const wanted = sharedWith(image, others);
    for (const { reference, id } of heldNames(image, held)) {
      if (wanted !== undefined) plan.keep.push({ reference, why: `release ${wanted} has it too` });
      else if (id === undefined) plan.keep.push({ reference, why: 'it is another image by now' });
      else plan.remove.push({ reference, id });
    }
  }
  for (const { reference, id } of plan.remove) {
    const user = containers.find(({ imageId }) => imageId === id);
    if (user === undefined) continue;
    throw new FailedError(`removing release ${release}: the container ${user.name} uses ${reference}`, {
      advice: 'Destroy that container first, or keep the release',
      facts: { container: user.name, reference },
    });
  }
  return plan;
}

/**
 * Removes a release as it is planned when nobody else changes images any more: what was loaded since a plan was shown
 * may count on them.
 *
 * @returns what went, and what stayed
 * @throws {LockedError} @throws what `planRemoval` does
 */
export async function removeRelease(
  release: string,
  host: ImageHost,
  context: Pick<Context, 'stateDir' | 'now'>,
): Promise<RemovalPlan> {
  return withImagesLock('images remove', context, async () => {
    const plan = await planRemoval(release, host);
    await carryOut(plan, host);
    return plan;
  });
}

/** To be called with the lock that the plan was made with: removes what was planned, and then forgets the release. */
export async function carryOut(
  { release, remove }: RemovalPlan,
  { engine, catalog }: ImageHost,
): Promise<void> {
  for (const { reference } of remove) await removeIfThere(engine, reference);
  await catalog.forget(release);
}

function sharedWith({ config }: CatalogImage, others: readonly ReleaseRecord[]): string | undefined {
  return others.find(({ images }) => images.some((other) => other.config === config))?.release;
}

/**
 * The names of an image that the engine has; without an id those that point elsewhere. An image that has no name left,
 * because another one took it, is called by its id.
 */
function heldNames(
  { references, config, manifest, layers }: CatalogImage,
  held: EngineImages,
): { reference: string; id: string | undefined }[] {
  const diffIds = layers.map(({ diffId }) => diffId);
  const image = held.byId.get(config) ?? held.byId.get(manifest);
  const nameless =
    image === undefined || image.tags.length > 0 ? [] : [{ reference: image.id, id: image.id }];
  const names = references.flatMap((reference) => {
    const named = held.byTag.get(reference);
    if (named === undefined) return [];
    return [{ reference, id: hasLayers(named, diffIds) ? named.id : undefined }];
  });
  return [...names, ...nameless];
}

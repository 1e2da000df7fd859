import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { ReadableRepository, Snapshot } from '../repository/repository.ts';
import { shortId } from '../repository/snapshot/short-id.ts';
import type { Context } from '../support/context.ts';
import { NotFoundError } from '../support/errors.ts';
import type { RestoreHost } from './host.ts';
import type { ServiceState } from './services.ts';
import { sourceTree } from './tree/source-tree.ts';

/** Loads the images that a snapshot carries: their files in a tar are a bundle, and are verified like any other. */
export async function loadSnapshotImages(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  { services }: RestoreHost,
  context: Context,
): Promise<void> {
  const tar = pack();
  const stream = new PassThrough();
  const carried = Promise.all([writeBundle(repository, snapshot, source, tar), pipeline(tar, stream)]);
  carried.catch((error: Error) => stream.destroy(error));
  await services.loadImages({ name: `images of snapshot ${shortId(snapshot.id)}`, stream }, context);
  await carried;
}

async function writeBundle(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  tar: ReturnType<typeof pack>,
): Promise<void> {
  try {
    for await (const entry of sourceTree(repository, snapshot, source, ['.'])) {
      if (entry.type !== 'file') continue;
      const file = tar.entry({ name: entry.path, size: entry.size ?? 0, mode: 0o644, mtime: new Date(0) });
      await pipeline(repository.content(snapshot, entry), file);
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
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

/** @throws {NotFoundError} naming the images that services need and nobody has */
export function refuseMissingImages(images: readonly string[]): void {
  if (images.length === 0) return;
  throw new NotFoundError(`restoring: the engine lacks ${images.length} images: ${images.join(', ')}`, {
    advice: 'Load them first: dockerctl images load FILE',
    facts: { images },
  });
}

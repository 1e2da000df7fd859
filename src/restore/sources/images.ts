import { Readable } from 'node:stream';
import { imageBundle } from '../../repository/carry/image-bundle.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import type { RestoreHost } from '../host.ts';

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

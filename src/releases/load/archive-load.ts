import type { Archive } from '../../archive/archive.ts';
import type { ArchiveIndex } from '../../archive/index/archive-index.ts';
import type { ArchiveImage, ImageIndex } from '../../archive/index/image-index.ts';
import { indexOneWay } from '../../archive/index/one-way-index.ts';
import type { Context } from '../../support/context.ts';
import { FailedError, NotFoundError } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import { type Holdings, holdingsOf, nothing } from '../holdings/holdings.ts';
import { storedImages, type WantedImages } from '../holdings/stored-images.ts';
import { seekableIndex } from '../seekable-index.ts';
import { type Before, lookBefore } from './before.ts';
import type { LoadedArchive, LoadedImage, LoadOptions } from './load.ts';
import { type ChosenRelease, chooseRelease } from './plan/choose.ts';
import { canSendMore, type PlannedLoad, planLoad } from './plan/plan.ts';
import { requireSpace } from './plan/space.ts';
import { mergedRecord, recordOf } from './record.ts';
import { releaseReplaced, warnOfReplaced } from './transfer/tags.ts';
import { Transfer } from './transfer/transfer.ts';

/**
 * Loads one open archive and records its images; with `planOnly` it tells what that would do. An engine that made
 * something of an archive that failed is told to drop it again. Throws what `loadImages` does.
 */
export async function loadOpened(
  archive: Archive,
  options: LoadOptions,
  context: Context,
  task: ProgressTask,
): Promise<LoadedArchive> {
  const { engine, catalog } = options;
  const before = await lookBefore(engine, catalog);
  const load = { archive, options, context, before };
  if (options.planOnly) return await planOnly(load);
  const transfer = new Transfer(archive, before, engine, context, task);
  try {
    const { release, images } = await sendAndCheck(load, transfer);
    const record = recordOf(release, transfer.sent!, transfer.moved, before.info.store, context.now());
    const same = before.releases.find((known) => known.release === release);
    await catalog.record(mergedRecord(same, record));
    return { archive: archive.name, release, images, moved: transfer.moved, sent: transfer.bytes };
  } catch (error) {
    await transfer.undo();
    throw error;
  } finally {
    await releaseReplaced(engine, before.images);
  }
}

/** One archive that is loaded, and all that decides how. */
interface Load {
  archive: Archive;
  options: LoadOptions;
  context: Context;
  before: Before;
}

async function planOnly(load: Load): Promise<LoadedArchive> {
  const { archive, before, context } = load;
  const index =
    (await seekableIndex(archive, context)) ?? (await indexOneWay(archive, { stopAtLayers: false }));
  const { release, plan } = await planIndexed(index, load);
  const moved = warnOfReplaced(plan.images, before.images, context.progress);
  await requireSpace(plan, before.info);
  const images = plan.images.map(({ image: { references, platform, config }, held }) => {
    return { references, platform, config: config.digest, present: held !== undefined };
  });
  const sent = plan.send.reduce((sum, { file }) => sum + file.size, 0);
  return { archive: archive.name, release, images, moved, sent };
}

async function sendAndCheck(
  load: Load,
  transfer: Transfer,
): Promise<{ release: string; images: LoadedImage[] }> {
  const index = await seekableIndex(load.archive, load.context);
  if (index === undefined) return await passOnAndCheck(load, transfer);
  const { release, chosen, plan } = await planIndexed(index, load);
  try {
    await transfer.sendPlanned(index, plan);
    return { release, images: await transfer.check() };
  } catch (error) {
    if (!helpsToSendAll(error, plan)) throw error;
    await transfer.undo();
    await transfer.sendPlanned(index, planLoad(load.archive.name, index, chosen, nothing));
    return { release, images: await transfer.check() };
  }
}

/**
 * An engine may have lost a layer that we know of: it then refuses, or keeps an image without it. Others may remove an
 * image before it gets a name, or all that was loaded before anything uses it.
 */
function helpsToSendAll(error: unknown, plan: PlannedLoad): boolean {
  if (error instanceof NotFoundError) return true;
  return error instanceof FailedError && (canSendMore(plan) || error.facts.vanished === true);
}

/** What an archive that can be read only once holds is known when its documents went by. */
async function passOnAndCheck(
  load: Load,
  transfer: Transfer,
): Promise<{ release: string; images: LoadedImage[] }> {
  let release = '';
  await transfer.passOn({
    async choose(index) {
      const chosen = await choose(index, load);
      release = chosen.release;
      return chosen.images;
    },
    holdings: (wanted) => holdings(wanted, load),
  });
  return { release, images: await transfer.check() };
}

async function planIndexed(
  index: Omit<ArchiveIndex, 'content'>,
  load: Load,
): Promise<{ release: string; chosen: ArchiveImage[]; plan: PlannedLoad }> {
  const { release, images: chosen } = await choose(index.index, load);
  const held = await holdings({ images: chosen, release: index.index.release }, load);
  return { release, chosen, plan: planLoad(load.archive.name, index, chosen, held) };
}

function choose(index: ImageIndex, { archive, options, before, context }: Load): Promise<ChosenRelease> {
  return chooseRelease(archive.name, index, options, before, context.progress);
}

async function holdings(wanted: WantedImages, { options, context, before }: Load): Promise<Holdings> {
  const { info, images, releases } = before;
  const asked = { engine: options.engine, info, signal: context.signal };
  return holdingsOf(images, releases, await storedImages(images, releases, wanted, asked));
}

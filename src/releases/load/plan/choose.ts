import type { ArchiveImage, ImageIndex } from '../../../archive/index/image-index.ts';
import type { Progress } from '../../../support/progress.ts';
import { releaseLabel } from '../../catalog/release-label.ts';
import { isOlderRelease } from '../../catalog/release-order.ts';
import { chosenImages } from '../../choose-images.ts';
import { requireSigner, signedIn } from '../../signatures.ts';
import type { Before } from '../before.ts';
import type { LoadOptions } from '../load.ts';
import { unverifiedLayers } from './unverified-layers.ts';

/** The images of an archive that are to be loaded, and the release that they belong to. */
export interface ChosenRelease {
  release: string;
  images: ArchiveImage[];
}

/**
 * Everything that may refuse an archive before the engine keeps anything of it.
 * @param name of the archive
 * @throws {SignatureError} @throws {NotFoundError} @throws {DamagedError} @throws {FailedError} @throws {UsageError}
 */
export async function chooseRelease(
  name: string,
  index: ImageIndex,
  { signers, select, release: label, confirm }: LoadOptions,
  { info, releases }: Before,
  progress: Progress,
): Promise<ChosenRelease> {
  await requireSigner(signedIn(index), signers, name);
  const images = chosenImages(index, { name, select, platform: info });
  warnOfUnverified(name, { ...index, images }, progress);
  const references = images.flatMap((image) => image.references);
  const release = releaseLabel(label, index.release?.document.release, references);
  const current = releases.at(-1)?.release;
  if (current !== undefined && isOlderRelease(release, current)) {
    await confirm?.(`load release ${release}, which is older than the current ${current}`);
  }
  return { release, images };
}

function warnOfUnverified(name: string, index: ImageIndex, progress: Progress): void {
  const layers = unverifiedLayers(index);
  if (layers === 0) return;
  const which = layers === 1 ? 'layer' : `${layers} layers`;
  progress.warn(`${name}: its ${which} cannot be verified, for docker save up to 1.9 wrote no digests`);
}

import { statfs } from 'node:fs/promises';
import type { BundleFormat } from '../../archive/compress/block-format.ts';
import type { ImageDetails } from '../../engine/engine.ts';
import { NoSpaceError } from '../../support/errors.ts';
import { freeSpaceAt } from '../../support/free-space.ts';
import { formatBytes } from '../../support/quantities.ts';
import { fileTooLarge } from './write-failure.ts';

/** What compressed layers become at best. Programs and libraries shrink to a third or a fifth. */
const bestRatio = 10;

/**
 * Refuses to save where there is surely too little room, before the engine is asked for a byte. How far layers can be
 * compressed is only known afterwards, so a compressed bundle is refused where not even a tenth of the images' size is
 * free.
 *
 * @param directory where the bundle is put together
 * @throws {NoSpaceError} telling how much is needed and free
 */
export async function requireRoom(
  directory: string,
  images: readonly ImageDetails[],
  format: BundleFormat,
): Promise<void> {
  const size = leastSize(images);
  const need = format === 'tar' ? size : Math.ceil(size / bestRatio);
  const free = await freeSpaceAt(directory);
  if (need <= free) return;
  const [needed, left] = [need, free].map(formatBytes);
  throw new NoSpaceError(`saving images needs at least ${needed} in ${directory}, and ${left} are free`, {
    advice: spaceAdvice,
    facts: { path: directory, need, free },
  });
}

/**
 * Refuses to save a plain tar as one file where no file can be that large.
 * @throws {NoSpaceError}
 */
export async function requireFileSize(
  directory: string,
  images: readonly ImageDetails[],
  format: BundleFormat,
): Promise<void> {
  const { type } = await statfs(directory);
  if (format === 'tar' && leastSize(images) > largestFile(type))
    throw fileTooLarge('saving images', directory);
}

/** @param type of a file system, as statfs(2) tells it */
export function largestFile(type: number): number {
  return type === fat ? 2 ** 32 - 1 : Number.POSITIVE_INFINITY;
}

/** MSDOS_SUPER_MAGIC of statfs(2). exFAT, which has no such limit, has another one. */
const fat = 0x4d44;

export const spaceAdvice =
  'Free some space, compress more with --format and --level, or leave out what the receiver has with --since';

/**
 * What images take together at least, in bytes. An engine tells the size of an image, not of its layers: of images that
 * have layers in common only the largest counts.
 */
export function leastSize(images: readonly Pick<ImageDetails, 'size' | 'diffIds'>[]): number {
  let related: { layers: Set<string>; size: number }[] = [];
  for (const { diffIds, size } of images) {
    const layers = new Set(diffIds);
    const joined = related.filter((other) => !other.layers.isDisjointFrom(layers));
    related = related.filter((other) => !joined.includes(other));
    const all = joined.reduce((union, other) => union.union(other.layers), layers);
    related.push({ layers: all, size: Math.max(size, ...joined.map((other) => other.size)) });
  }
  return related.reduce((sum, { size }) => sum + size, 0);
}

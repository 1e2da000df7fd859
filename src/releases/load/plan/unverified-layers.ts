import type { ImageIndex } from '../../../archive/index/image-index.ts';

/** How many layers an archive gives no digest for: those of `docker save` up to 1.9, all of them. */
export function unverifiedLayers({ era, images }: Pick<ImageIndex, 'era' | 'images'>): number {
  if (era !== 'legacy') return 0;
  return new Set(images.flatMap(({ layers }) => layers.map(({ path }) => path))).size;
}

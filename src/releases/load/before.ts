import type { Engine, EngineInfo } from '../../engine/engine.ts';
import type { Catalog, ReleaseRecord } from '../catalog/catalog.ts';
import { type EngineImages, engineImages } from '../engine-images.ts';

/** What there was before a load: what it may leave out, and what a failed one must be undone to. */
export interface Before {
  info: EngineInfo;
  images: EngineImages;
  /** Every release of the catalog, oldest first. */
  releases: readonly ReleaseRecord[];
}

/** Asks the engine and the catalog. */
export async function lookBefore(engine: Engine, catalog: Catalog): Promise<Before> {
  const info = await engine.info();
  const [images, releases] = await Promise.all([engineImages(engine, info), catalog.releases()]);
  return { info, images, releases };
}

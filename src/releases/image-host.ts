import type { Engine } from '../engine/engine.ts';
import type { Catalog } from './catalog/catalog.ts';

/** What a host has of images: in its engine, and by release. */
export interface ImageHost {
  engine: Engine;
  catalog: Catalog;
}

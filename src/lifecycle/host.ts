import type { Deployment } from '../deployment/deployment.ts';
import type { Engine } from '../engine/engine.ts';
import type { Context } from '../support/context.ts';

/** Brings missing images into the engine from archives; what they hold besides may come along. */
export type LoadImages = (images: readonly string[], archives: readonly string[]) => Promise<void>;

/** Where plans are carried out. */
export interface Host {
  deployment: Deployment;
  engine: Engine;
  context: Context;
  /** Needed by plans that load images. */
  loadImages?: LoadImages;
}

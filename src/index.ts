/** The library's public face. The command line is one caller of these among others. */

export type { Deployment } from './deployment/deployment.ts';
export type { Engine } from './engine/engine.ts';
export type { Repository } from './repository/repository.ts';
export type { Snapshot } from './repository/snapshot/snapshot.ts';
export type { Context } from './support/context.ts';
export * from './support/errors.ts';
export { type Progress, type ProgressTask, silent } from './support/progress.ts';

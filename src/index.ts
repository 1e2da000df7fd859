/** The library's public face. The command line is one caller of these among others. */

export { type BackupOptions, createBackup } from './backup/create.ts';
export type { BackupReport } from './backup/report.ts';
export type { Deployment } from './deployment/deployment.ts';
export { type ReadOptions, readDeployment } from './deployment/read.ts';
export { connectEngine } from './engine/connect.ts';
export type { Engine } from './engine/engine.ts';
export { type Catalog, openCatalog } from './releases/catalog/catalog.ts';
export { type InspectedArchive, inspectArchives } from './releases/inspect.ts';
export { type LoadOptions, type LoadReport, loadImages } from './releases/load/load.ts';
export { type SavedBundle, type SaveRequest, saveImages } from './releases/save/save.ts';
export { type VerifiedArchive, type VerifyOptions, verifyArchives } from './releases/verify.ts';
export { type OpenOptions, openOrCreateRepository, openRepository } from './repository/open.ts';
export type { Repository } from './repository/repository.ts';
export type { Snapshot } from './repository/snapshot/snapshot.ts';
export {
  type PreparedRestore,
  prepareRestore,
  type RestorePorts,
  type RestoreRequest,
} from './restore/restore.ts';
export type { Context } from './support/context.ts';
export * from './support/errors.ts';
export { type Progress, type ProgressTask, silent } from './support/progress.ts';

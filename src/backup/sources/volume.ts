import { basename, dirname } from 'node:path';
import type { VolumeSource } from '../../deployment/backup-settings.ts';
import type { Deployment, Volume } from '../../deployment/deployment.ts';
import type { VolumeDetails } from '../../engine/engine.ts';
import { fromText } from '../../support/posix/byte-path.ts';
import type { Changes } from '../report.ts';
import { ProblemLog } from '../store/problem-log.ts';
import type { SourceJob } from '../store/source-job.ts';
import { storeRoots } from './paths.ts';
import { storeVolumeArchive } from './volume-archive.ts';

/**
 * Saves a named volume, under paths that begin at its root `.`: from this host where it lies here, else through the
 * engine.
 */
export async function storeVolume(source: VolumeSource, job: SourceJob): Promise<Changes> {
  const problems = new ProblemLog(job.writer, '');
  const volume = volumeOf(job.deployment, source);
  const found = await job.engine.volumes.inspect(volume.name);
  if (found === undefined) {
    problems.fail(`volume ${volume.name}: does not exist`);
    return { added: 0, changed: 0, removed: 0 };
  }
  const { local } = await job.engine.info();
  if (!local || !isDirectoryOfHost(found, volume)) return storeVolumeArchive(source, volume, problems, job);
  const path = fromText(found.mountpoint);
  const root = { path: '.', parent: dirname(path), name: basename(path) };
  return storeRoots(`volume ${volume.name}`, [root], source.filter, problems, job);
}

/** Volumes of other drivers, and those that mount something, are there only while a container uses them. */
function isDirectoryOfHost({ driver }: VolumeDetails, { driverOptions }: Volume): boolean {
  return driver === 'local' && Object.keys(driverOptions).length === 0;
}

/** The volume a source names by its key. */
function volumeOf({ volumes }: Deployment, { volume: key }: VolumeSource): Volume {
  const volume = volumes.find((one) => one.key === key);
  if (volume === undefined) throw new TypeError(`the deployment has no volume ${key}`);
  return volume;
}

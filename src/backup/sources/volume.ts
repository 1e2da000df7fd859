import { basename, dirname } from 'node:path';
import type { VolumeSource } from '../../deployment/backup-settings.ts';
import type { Deployment, Volume } from '../../deployment/deployment.ts';
import type { Engine } from '../../engine/engine.ts';
import { fromText } from '../../support/posix/byte-path.ts';
import { ProblemLog } from '../problem-log.ts';
import type { SourceJob, SourceResult } from '../source-job.ts';
import { storeRoots } from './paths.ts';

const nothing = { added: 0, changed: 0, removed: 0 };

/** Saves a named volume, under paths that begin at its root `.`. */
export async function storeVolume(source: VolumeSource, job: SourceJob): Promise<SourceResult> {
  const problems = new ProblemLog(job.writer.warn, '');
  const volume = volumeOf(job.deployment, source);
  const mountpoint = await findMountpoint(job.engine, volume, problems);
  if (mountpoint === undefined) return { changes: nothing, complete: false };
  const path = fromText(mountpoint);
  const root = { path: '.', parent: dirname(path), name: basename(path) };
  return storeRoots([root], source.filter, problems, job);
}

/** The volume a source names by its key. */
export function volumeOf({ volumes }: Deployment, { volume: key }: VolumeSource): Volume {
  const volume = volumes.find((one) => one.key === key);
  if (volume === undefined) throw new TypeError(`the deployment has no volume ${key}`);
  return volume;
}

async function findMountpoint(
  engine: Engine,
  volume: Volume,
  problems: ProblemLog,
): Promise<string | undefined> {
  const found = await engine.volumes.inspect(volume.name);
  if (found !== undefined) return found.mountpoint;
  problems.fail(`volume ${volume.name}: does not exist`);
  return undefined;
}

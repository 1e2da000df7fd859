import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import type { VolumeSource } from '../../deployment/backup-settings.ts';
import type { Volume } from '../../deployment/deployment.ts';
import { FailedError } from '../../support/errors.ts';
import type { Changes } from '../report.ts';
import { storeArchive } from '../store/archive.ts';
import type { ProblemLog } from '../store/problem-log.ts';
import type { SourceJob } from '../store/source-job.ts';

/** Where the volume is mounted in the container that is made to read it. */
const target = '/volume';

/**
 * Saves a volume that this host cannot see, through the engine: as a tar of a container that is made for it and never
 * started. All of it travels every time; what is known is not stored again.
 */
export async function storeVolumeArchive(
  source: VolumeSource,
  volume: Volume,
  problems: ProblemLog,
  job: SourceJob,
): Promise<Changes> {
  const { containers } = job.engine;
  const container = await containers.create({
    name: `dockerctl-backup-${randomBytes(6).toString('hex')}`,
    image: await anyImage(job),
    command: ['/'],
    networkMode: 'none',
    mounts: [{ type: 'volume', source: volume.name, target, readOnly: true }],
  });
  try {
    const tar = await containers.readArchive(container, target);
    const changes = await storeArchive(entriesOf(tar, job.context.signal), source.filter, problems, job);
    problems.finish();
    return changes;
  } finally {
    await containers.remove(container, { force: true });
  }
}

/** A container needs an image, though nothing of it runs. */
async function anyImage({ deployment, engine }: SourceJob): Promise<string> {
  for (const { image } of deployment.services) {
    if ((await engine.images.inspect(image)) !== undefined) return image;
  }
  throw new FailedError('reading a volume through the engine: it has no image of the deployment', {
    advice: 'Load the images of the deployment first',
  });
}

function entriesOf(tar: Readable, signal: AbortSignal): ReturnType<typeof extract> {
  const entries = extract();
  const stop = () => entries.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  tar.on('error', (error) => entries.destroy(error));
  entries.on('close', () => signal.removeEventListener('abort', stop));
  tar.pipe(entries);
  return entries;
}

import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Extract } from 'tar-stream';
import type { VolumeSource } from '../../deployment/backup-settings.ts';
import type { Volume } from '../../deployment/deployment.ts';
import { askAgain } from '../../engine/ask-again.ts';
import { unlessGone } from '../../engine/unless-gone.ts';
import { within } from '../../support/deadline.ts';
import { FailedError, messageOf, NotFoundError } from '../../support/errors.ts';
import { extractBytes } from '../../support/tar/extract-bytes.ts';
import { silenceLimit, watched } from '../../support/watched.ts';
import type { Changes } from '../report.ts';
import { storeArchive } from '../store/archive.ts';
import type { ProblemLog } from '../store/problem-log.ts';
import type { SourceJob } from '../store/source-job.ts';

/** On such a container: the repository of the run it was made for. */
const ownerLabel = 'dockerctl.backup.repository';

/** Where the volume is mounted in the container that is made to read it. */
const target = '/volume';

/**
 * Saves a volume that this host cannot see, through the engine: as a tar of a container that is made for it and never
 * started. All of it travels every time; what is known is not stored again. What the engine does not give makes the
 * source incomplete.
 */
export async function storeVolumeArchive(
  source: VolumeSource,
  volume: Volume,
  problems: ProblemLog,
  job: SourceJob,
): Promise<Changes> {
  const { signal } = job.context;
  let changes: Changes = { added: 0, changed: 0, removed: 0 };
  try {
    await readVolume(volume, job, async (tar) => {
      changes = await storeArchive(entriesOf(tar, signal), source.filter, problems, job);
    });
  } catch (error) {
    signal.throwIfAborted();
    // Had the repository refused it, the end of the source would tell of that.
    problems.fail(`volume ${volume.name}: ${messageOf(error)}`);
  }
  problems.finish();
  return changes;
}

async function readVolume(
  volume: Volume,
  job: SourceJob,
  use: (tar: Readable) => Promise<void>,
): Promise<void> {
  const { containers } = job.engine;
  const labels = { [ownerLabel]: job.repository };
  // Of a run that was killed, or whose engine was: this one is the only writer of the repository.
  for (const { id } of await containers.list({ labels }))
    await unlessGone(containers.remove(id, { force: true }));
  const { container, tar } = await askAgain(() => openVolume(volume, labels, job), {
    whilePassing: (error) => error instanceof NotFoundError,
    seconds: 5,
  });
  try {
    await use(tar);
  } finally {
    await letGo(container, job);
  }
}

/**
 * Makes a container to read a volume from, and begins to read. An engine removes no container while it is read; before
 * that somebody may prune it, for it never ran.
 */
async function openVolume(
  volume: Volume,
  labels: Record<string, string>,
  job: SourceJob,
): Promise<{ container: string; tar: Readable }> {
  const { containers } = job.engine;
  const container = await containers.create({
    labels,
    name: `dockerctl-backup-${randomBytes(6).toString('hex')}`,
    image: await anyImage(job),
    command: ['/'],
    networkMode: 'none',
    mounts: [{ type: 'volume', source: volume.name, target, readOnly: true }],
  });
  try {
    return { container, tar: await containers.readArchive(container, target) };
  } catch (error) {
    await letGo(container, job);
    throw error;
  }
}

async function letGo(container: string, { engine, context }: SourceJob): Promise<void> {
  const removing = unlessGone(engine.containers.remove(container, { force: true }));
  const late = () => new FailedError('the engine does not answer');
  await within(patience, removing, late).catch((error: unknown) =>
    context.progress.warn(
      `container ${container.slice(0, 12)} stays until the next backup: ${messageOf(error)}`,
    ),
  );
}

/**
 * Seconds that an engine may take to remove a container of which nothing ran: one that never answers must not keep a
 * run from ending.
 */
const patience = 20;

/** A container needs an image, though nothing of it runs. */
async function anyImage({ deployment, engine }: SourceJob): Promise<string> {
  for (const { image } of deployment.services) {
    if ((await engine.images.inspect(image)) !== undefined) return image;
  }
  throw new FailedError('reading a volume through the engine: it has no image of the deployment', {
    advice: 'Load the images of the deployment first',
  });
}

function entriesOf(tar: Readable, signal: AbortSignal): Extract {
  const entries = extractBytes();
  const source = Readable.from(watched(tar, { purpose: 'reading it', signal }, silenceLimit), {
    objectMode: false,
  });
  source.on('error', (error) => entries.destroy(error));
  entries.on('close', () => source.destroy());
  source.pipe(entries);
  return entries;
}

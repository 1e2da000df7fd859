import { PassThrough, type Writable } from 'node:stream';
import { extract } from 'tar-stream';
import type { Deployment } from '../../deployment/deployment.ts';
import type { Engine } from '../../engine/engine.ts';
import { type SaveRequest, saveImages } from '../../releases/save/save.ts';
import { messageOf } from '../../support/errors.ts';
import type { Changes } from '../report.ts';
import type { SourceJob } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';

/** What the engine said of the images when they were saved: while it says the same, nothing is asked of it. */
const listFile = 'images.json';

/**
 * Saves the images of a deployment's services as the files of a bundle, layers uncompressed: `tar` of them is a bundle
 * again. An image the engine does not have makes the source incomplete.
 */
export async function storeImages(job: SourceJob): Promise<Changes> {
  const files = await StreamFiles.open(job);
  const { list, missing } = await listImages(job.deployment, job.engine);
  for (const reference of missing) job.writer.fail(`image ${reference}: the engine does not have it`);
  const described = Buffer.from(`${JSON.stringify(list)}\n`);
  const known = files.holds(listFile, described) && files.keepAll();
  if (!known && list.length > 0) {
    const stored = await storeBundle(list, files, job);
    if (stored && missing.length === 0) await files.storeBytes(listFile, described);
  }
  return files.finish();
}

interface ListedImage {
  reference: string;
  /** The engine's own. */
  id: string;
  diffIds: string[];
}

async function listImages(
  { services }: Deployment,
  engine: Engine,
): Promise<{ list: ListedImage[]; missing: string[] }> {
  const references = [...new Set(services.map(({ image }) => image))].sort();
  const list: ListedImage[] = [];
  const missing: string[] = [];
  for (const reference of references) {
    const found = await engine.images.inspect(reference);
    if (found === undefined) missing.push(reference);
    else list.push({ reference, id: found.id, diffIds: found.diffIds });
  }
  return { list, missing };
}

/** @returns whether all of it was stored */
async function storeBundle(
  list: readonly ListedImage[],
  files: StreamFiles,
  job: SourceJob,
): Promise<boolean> {
  const tar = new PassThrough();
  const entries = extract();
  const saving = saveImages(job.engine, bundleOf(list, tar), job.context).then(
    () => tar.end(),
    (error: Error) => entries.destroy(error),
  );
  tar.pipe(entries);
  try {
    for await (const entry of entries)
      await files.store(entry.header.name, entry as AsyncIterable<Uint8Array>);
    await saving;
    return true;
  } catch (error) {
    tar.destroy(); // Else whoever saves would wait for ever for somebody to read on.
    if (files.storingFailed) throw error;
    job.context.signal.throwIfAborted();
    job.writer.fail(messageOf(error));
    return false;
  }
}

/** The same images make the same bytes, whichever version of us saves them. */
function bundleOf(list: readonly ListedImage[], stream: Writable): SaveRequest {
  const images = list.map(({ reference }) => reference);
  return { images, format: 'tar', target: { kind: 'stream', stream }, tool: 'dockerctl backup' };
}

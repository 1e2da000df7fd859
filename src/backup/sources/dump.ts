import { databaseFor } from '../../databases/databases.ts';
import type { ServerSource } from '../../deployment/backup-settings.ts';
import { InterruptedError, messageOf } from '../../support/errors.ts';
import { runningContainerOf } from '../run-where-said.ts';
import type { SourceJob, SourceResult } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';
import { warnIfMuchSmaller } from './plausible-size.ts';

/**
 * Saves what a database server dumps of itself while it serves. A dump that fails, or does not say that it is whole, makes
 * the source incomplete; the files before it stay.
 */
export async function storeDump(source: ServerSource, job: SourceJob): Promise<SourceResult> {
  const files = await StreamFiles.open(job);
  try {
    const database = await databaseFor(source.engine);
    const server = { engine: job.engine, container: await runningContainerOf(source.service, job) };
    const { user, databases, timeout } = source;
    const warn = (message: string) => job.writer.warn(`${source.engine} in ${source.service}: ${message}`);
    const dumped = database.dump(server, { user, databases, timeout, warn }, job.context);
    let size = 0;
    for await (const { path, content } of dumped) size += await files.store(path, content);
    warnIfMuchSmaller(`the dump of ${source.service}`, size, job.writer);
  } catch (error) {
    if (files.storingFailed || error instanceof InterruptedError) throw error;
    job.context.signal.throwIfAborted();
    job.writer.warn(messageOf(error));
    return { changes: await files.finish(), complete: false };
  }
  return { changes: await files.finish(), complete: true };
}

import { databaseFor } from '../../databases/databases.ts';
import type { ServerSource } from '../../deployment/backup-settings.ts';
import { InterruptedError } from '../../support/errors.ts';
import type { Changes } from '../report.ts';
import { runningContainerOf } from '../run-where-said.ts';
import type { SourceJob } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';
import { failWithWords } from './failed-program.ts';
import { warnIfMuchSmaller } from './plausible-size.ts';

/**
 * Saves what a database server dumps of itself while it serves. A dump that fails, or does not say that it is whole,
 * makes the source incomplete; the files before it stay.
 */
export async function storeDump(source: ServerSource, job: SourceJob): Promise<Changes> {
  const files = await StreamFiles.open(job);
  try {
    const database = await databaseFor(source.engine);
    const server = { engine: job.engine, container: await runningContainerOf(source.service, job) };
    const { user, databases, timeout } = source;
    const warn = (message: string) => job.writer.warn(`${source.engine} in ${source.service}: ${message}`);
    const dumped = database.dump(server, { user, databases, timeout, warn }, job.context);
    let size = 0;
    for await (const { path, content } of dumped) size += await files.store(path, content);
    warnIfMuchSmaller(`the dump of ${source.service}`, size, job);
  } catch (error) {
    if (files.storingFailed || error instanceof InterruptedError) throw error;
    job.context.signal.throwIfAborted();
    failWithWords(error, job.writer);
  }
  return files.finish();
}

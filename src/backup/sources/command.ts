import type { CommandSource } from '../../deployment/backup-settings.ts';
import type { Changes } from '../report.ts';
import type { SourceJob } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';
import { outputOfCommand } from './command-output.ts';
import { failWithWords } from './failed-program.ts';
import { warnIfMuchSmaller } from './plausible-size.ts';

/** The one file of such a source's tree. */
const outputFile = 'output';

/**
 * Saves what a command prints. Nothing at all, or an exit status other than 0, is no backup: the source is incomplete.
 * Much less than last time is told of.
 */
export async function storeCommand(source: CommandSource, job: SourceJob): Promise<Changes> {
  const files = await StreamFiles.open(job);
  const said = { service: source.service, command: source.run, timeout: source.timeout };
  try {
    const output = outputOfCommand(said, job, job.context.signal, job.writer.warn);
    judgeSize(await files.store(outputFile, output), source, job);
  } catch (error) {
    if (files.storingFailed) throw error;
    job.context.signal.throwIfAborted();
    failWithWords(error, job.writer);
  }
  return files.finish();
}

function judgeSize(size: number, { run }: CommandSource, job: SourceJob): void {
  if (size === 0) job.writer.fail(`running ${run[0]}: it printed nothing`);
  else warnIfMuchSmaller(`what ${run[0]} prints`, size, job);
}

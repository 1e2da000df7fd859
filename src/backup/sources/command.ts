import type { CommandSource } from '../../deployment/backup-settings.ts';
import { messageOf } from '../../support/errors.ts';
import type { SourceJob, SourceResult } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';
import { outputOfCommand } from './command-output.ts';
import { warnIfMuchSmaller } from './plausible-size.ts';

/** The one file of such a source's tree. */
const outputFile = 'output';

/**
 * Saves what a command prints. Nothing at all, or an exit status other than 0, is no backup: the source is incomplete. Much less
 * than last time is told of.
 */
export async function storeCommand(source: CommandSource, job: SourceJob): Promise<SourceResult> {
  const files = await StreamFiles.open(job);
  const said = { service: source.service, command: source.run, timeout: source.timeout };
  let problem: string | undefined;
  try {
    const output = outputOfCommand(said, job, job.context.signal, job.writer.warn);
    problem = judgeSize(await files.store(outputFile, output), source, job);
  } catch (error) {
    if (files.storingFailed) throw error;
    job.context.signal.throwIfAborted();
    problem = messageOf(error);
  }
  if (problem !== undefined) job.writer.warn(problem);
  return { changes: await files.finish(), complete: problem === undefined };
}

function judgeSize(size: number, { run }: CommandSource, { writer }: SourceJob): string | undefined {
  if (size === 0) return `running ${run[0]}: it printed nothing`;
  warnIfMuchSmaller(`what ${run[0]} prints`, size, writer);
  return undefined;
}

import { formatBytes } from '../../support/quantities.ts';
import type { SourceJob } from '../store/source-job.ts';

type Told = Pick<SourceJob, 'writer' | 'context'>;

/** A program that suddenly has much less to say than last time has often failed without noticing. */
export function warnIfMuchSmaller(what: string, size: number, job: Told): void {
  const before = job.writer.lastComplete?.bytes ?? 0;
  if (size < before / 10) tell(`${what}: ${formatBytes(size)}, last time ${formatBytes(before)}`, job);
}

/** So many that their loss is no day's work. */
const many = 10;

/** Where a disk is not mounted, there is an empty directory. */
export function warnIfManyFewer(what: string, files: number, job: Told): void {
  const before = job.writer.lastComplete?.files ?? 0;
  if (before < many || files >= before / 10) return;
  const left = files === 1 ? '1 file' : `${files} files`;
  tell(`${what}: ${left}, last time ${before}: is its disk mounted?`, job);
}

/** On the spot as well: nobody reads the summary of a night that went well. */
function tell(message: string, { writer, context }: Told): void {
  writer.warn(message);
  context.progress.warn(message);
}

import { type Context, uninterruptible } from '../support/context.ts';
import { InterruptedError } from '../support/errors.ts';
import { conclude, type RestoreReport, recordDone } from './conclude.ts';
import { findNewcomers, type Taken } from './inventories.ts';
import type { RestoreJournal } from './journal.ts';
import { restoreError } from './restore-error.ts';
import { rollBack } from './rollback.ts';
import type { DatabasePorts } from './sources/databases.ts';
import { type MetadataOptions, metadataOptions } from './tree/metadata.ts';

/**
 * Does what is left to do of a restore, and tells what came of it. A failure, Ctrl-C included, leaves everything as it
 * was; a kill leaves the journal.
 *
 * @param restore returns the inventories that were taken before anything was replaced
 */
export async function allOrNothing(
  journal: RestoreJournal,
  ports: DatabasePorts | undefined,
  context: Context,
  restore: (metadata: MetadataOptions) => Promise<Taken[]>,
): Promise<RestoreReport> {
  const warnings: string[] = [];
  const metadata = metadataOptions(warnings);
  let before: Taken[];
  try {
    before = await restore(metadata);
    await recordDone(journal, context.now());
  } catch (error) {
    context.progress.note('putting everything back');
    await rollBack(journal, ports, metadata, uninterruptible(context));
    throw isInterruption(error, context) ? interrupted(error) : restoreError('restoring', error);
  }
  const newcomers = await findNewcomers(ports, before, metadata.warn, context);
  return { ...(await conclude(journal, metadata.warn)), newcomers, warnings };
}

function isInterruption(error: unknown, { signal }: Context): boolean {
  return signal.aborted && (error === signal.reason || error instanceof InterruptedError);
}

/** However deep it was noticed, the same is told. */
function interrupted(cause: unknown): InterruptedError {
  return new InterruptedError('restoring: interrupted; everything is as it was', { cause });
}

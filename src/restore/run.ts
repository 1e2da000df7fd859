import type { Context } from '../support/context.ts';
import { allOrNothing } from './all-or-nothing.ts';
import type { RestoreReport } from './conclude.ts';
import { type Decided, type RunPorts, recordOf } from './decided.ts';
import { putAdoptedFile } from './deployment-file/adopted-file.ts';
import { takeInventories } from './inventories.ts';
import { beginJournal, beginJournalOver, type RestoreJournal } from './journal.ts';
import { withRestoreLock } from './lock.ts';
import { expectAllFinished } from './refuse-unfinished.ts';
import { stageEverything } from './stage/stage.ts';
import { swapEverything } from './swap/swap.ts';

/** Stages, swaps, checks: all of it, or nothing. */
export async function runRestore(
  decided: Decided,
  ports: RunPorts,
  context: Context,
): Promise<RestoreReport> {
  return withRestoreLock(context, async () => {
    await expectAllFinished(context.stateDir);
    const journal = await beginJournal(context.stateDir, await recordOf(decided, ports, context));
    return carryOut(journal, decided, ports, context);
  });
}

/** The same of one that was killed, of which nothing is staged any more; with the lock held. */
export async function runOver(
  killed: RestoreJournal,
  decided: Decided,
  ports: RunPorts,
  context: Context,
): Promise<RestoreReport> {
  const journal = await beginJournalOver(killed, await recordOf(decided, ports, context));
  return carryOut(journal, decided, ports, context);
}

async function carryOut(
  journal: RestoreJournal,
  decided: Decided,
  ports: RunPorts,
  context: Context,
): Promise<RestoreReport> {
  const { repository, host } = ports;
  const databasePorts = host && { ...host, repository, snapshot: decided.snapshot };
  return allOrNothing(journal, databasePorts, context, async (metadata) => {
    if (journal.record.adopted) await putAdoptedFile(journal.record.adopted);
    const before = host ? await takeInventories(host, metadata.warn, context) : [];
    await stageEverything(decided, ports, databasePorts, journal, metadata, context);
    await swapEverything(journal, databasePorts, metadata, context);
    return before;
  });
}

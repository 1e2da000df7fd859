import { join } from 'node:path';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { acquireLock, type Lock } from '../support/lock.ts';
import { conclude, type RestoreReport } from './conclude.ts';
import { type Decided, type RunPorts, recordOf } from './decided.ts';
import { putAdoptedFile } from './deployment-file/adopted-file.ts';
import { findNewcomers, type Taken, takeInventories } from './inventories.ts';
import { beginJournal, refuseUnfinished } from './journal.ts';
import { rollBack } from './rollback.ts';
import { stageEverything } from './stage/stage.ts';
import { swapEverything } from './swap/swap.ts';

/** Stages, swaps, checks. A failure, Ctrl-C included, leaves everything as it was; a kill leaves a journal. */
export async function runRestore(
  decided: Decided,
  ports: RunPorts,
  context: Context,
): Promise<RestoreReport> {
  const lock = await lockRestores(context);
  try {
    await refuseUnfinished(context.stateDir);
    const warnings: string[] = [];
    const metadata = {
      owners: process.getuid?.() === 0,
      warn: (message: string) => void warnings.push(message),
    };
    const journal = await beginJournal(context.stateDir, await recordOf(decided, ports, context));
    const databasePorts = ports.host && {
      ...ports.host,
      repository: ports.repository,
      snapshot: decided.snapshot,
    };
    const before: Taken[] = [];
    try {
      if (journal.record.adopted) await putAdoptedFile(journal.record.adopted);
      if (ports.host) before.push(...(await takeInventories(ports.host, metadata.warn, context)));
      await stageEverything(decided, ports, databasePorts, journal, metadata, context);
      await swapEverything(journal, databasePorts, metadata, context);
    } catch (error) {
      context.progress.note('putting everything back');
      await rollBack(journal, ports.host, metadata, { ...context, signal: new AbortController().signal });
      throw error;
    }
    const newcomers = await findNewcomers(databasePorts, before, metadata.warn, context);
    return { ...(await conclude(journal)), newcomers, warnings };
  } finally {
    lock.release();
  }
}

/** One restore at a time on a host. @throws {LockedError} */
export async function lockRestores({ stateDir, now }: Context): Promise<Lock> {
  await makeDirectoryDurably(stateDir);
  return acquireLock(join(stateDir, 'restore.lock'), { mode: 'exclusive', purpose: 'restore', now: now() });
}

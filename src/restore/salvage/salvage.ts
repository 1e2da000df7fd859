import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Chosen, SelectedSource } from '../plan/select.ts';
import { rootsOf } from '../plan/targets.ts';
import { findLoss } from './find-loss.ts';
import { type Loss, type ToldLoss, tellLoss } from './loss.ts';
import { withoutLosses } from './without-losses.ts';

/** What of the chosen sources can be restored. */
export interface Salvage extends Chosen {
  /** Hands out only what can be read. */
  repository: ReadableRepository;
  losses: ToldLoss[];
}

/**
 * Reads the chosen sources through to the last byte, so that everything that is lost is known before anything is done.
 * @throws {DamagedError} when nothing of them can be restored
 */
export async function salvageSources(
  repository: ReadableRepository,
  snapshot: Snapshot,
  { selected, skipped }: Chosen,
  to: string | undefined,
  context: Context,
): Promise<Salvage> {
  const losses = new Map<string, Loss>();
  const salvaged: Salvage = { repository, selected: [], skipped: [...skipped], losses: [] };
  for (const source of selected) {
    const { summary } = source;
    const loss = await findLoss(repository, snapshot, summary, rootsOf(source), context);
    if (loss === undefined) {
      salvaged.selected.push(source);
      continue;
    }
    losses.set(summary.name, loss);
    salvaged.losses.push(tellLoss(summary, loss));
    const reason = reasonToLeaveOut(source, loss, to);
    if (reason === undefined) salvaged.selected.push(whatIsLeft(source, loss));
    else salvaged.skipped.push({ name: summary.name, title: summary.title, reason });
  }
  if (salvaged.selected.length === 0) throw nothingLeft(salvaged);
  return { ...salvaged, repository: withoutLosses(repository, losses) };
}

/** Half a dump is no database, half an image does not run: on the host they come back whole or not at all. */
function reasonToLeaveOut(
  { summary }: SelectedSource,
  { isNothingLeft }: Loss,
  to: string | undefined,
): string | undefined {
  if (isNothingLeft) return 'DAMAGED: nothing of it can be read';
  if (to !== undefined || summary.kind === 'paths' || summary.kind === 'volume') return undefined;
  return 'DAMAGED, and of no use in part: --to DIR writes out what can be read';
}

function whatIsLeft(source: SelectedSource, { readable }: Loss): SelectedSource {
  return { ...source, summary: { ...source.summary, ...readable } };
}

function nothingLeft({ skipped, losses }: Salvage): DamagedError {
  const damaged = skipped.filter(({ name }) => losses.some(({ source }) => source === name));
  const reasons = damaged.map(({ title, reason }) => `${title}: ${reason}`);
  return new DamagedError(`restoring: nothing is left to restore: ${reasons.join('; ')}`, {
    advice: 'Restore another snapshot: dockerctl backup list shows which there are',
  });
}

import type { Command } from 'commander';
import type { RemovalPlan } from '../../../releases/catalog/remove.ts';
import { UsageError } from '../../../support/errors.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderRemoval } from './remove.ts';

export function addImagesPrune(images: Command, wrap: Wrap): void {
  images
    .command('prune')
    .description('remove all but the newest releases; those that containers use stay')
    .option('--keep <number>', 'how many releases stay (default: 2)')
    .action(wrap(prune));
}

async function prune(session: Session, { options }: ParsedInput): Promise<undefined> {
  const keep = Number(options.keep ?? 2);
  if (!Number.isInteger(keep) || keep < 1)
    throw new UsageError(`--keep ${options.keep}: is not a number from 1 on`);
  const [{ planPrune, pruneReleases }, { openCatalog }] = await Promise.all([
    import('../../../releases/catalog/prune.ts'),
    import('../../../releases/catalog/catalog.ts'),
  ]);
  const host = { engine: await session.engine(), catalog: openCatalog(session.context.stateDir) };
  const dryRun = session.global.dryRun ?? false;
  const plans = await planPrune(keep, host, session.context.progress.warn);
  const render = (all: RemovalPlan[]) => all.map((plan) => renderRemoval(plan, dryRun)).join('\n');
  if (dryRun || plans.length === 0) {
    session.report(plans, render);
    return;
  }
  const releases = plans.map(({ release }) => release);
  await session.confirm(`remove the releases ${releases.join(', ')}`);
  session.report(await pruneReleases(releases, keep, host, session.context), render);
}

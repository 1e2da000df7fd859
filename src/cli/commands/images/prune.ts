import type { Command } from 'commander';
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
  const [{ removeRelease }, { planPrune }, { openCatalog }] = await Promise.all([
    import('../../../releases/catalog/remove.ts'),
    import('../../../releases/catalog/prune.ts'),
    import('../../../releases/catalog/catalog.ts'),
  ]);
  const host = { engine: await session.engine(), catalog: openCatalog(session.context.stateDir) };
  const plans = await planPrune(keep, host, session.context.progress.warn);
  if (plans.length > 0 && !session.global.dryRun) {
    await session.confirm(`remove the releases ${plans.map(({ release }) => release).join(', ')}`);
    for (const plan of plans) await removeRelease(plan, host);
  }
  session.report(plans, (all) =>
    all.map((plan) => renderRemoval(plan, session.global.dryRun ?? false)).join('\n'),
  );
}

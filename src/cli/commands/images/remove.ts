import type { Command } from 'commander';
import type { RemovalPlan } from '../../../releases/catalog/remove.ts';
import { UsageError } from '../../../support/errors.ts';
import { count } from '../../../support/quantities.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addImagesRemove(images: Command, wrap: Wrap): void {
  images
    .command('remove [name]')
    .description('remove a release from the engine and the catalog; layers that others share stay')
    .action(wrap(remove));
}

async function remove(session: Session, { args: [name] }: ParsedInput): Promise<undefined> {
  const release: string | undefined = name ?? session.global.release;
  if (release === undefined) throw new UsageError('remove which release? none was named');
  const [{ planRemoval, removeRelease }, { openCatalog }] = await Promise.all([
    import('../../../releases/catalog/remove.ts'),
    import('../../../releases/catalog/catalog.ts'),
  ]);
  const host = { engine: await session.engine(), catalog: openCatalog(session.context.stateDir) };
  const plan = await planRemoval(release, host);
  if (session.global.dryRun) {
    session.report(plan, (planned) => renderRemoval(planned, true));
    return;
  }
  await session.confirm(`remove release ${release} (${count(plan.remove.length, 'image name')})`);
  session.report(await removeRelease(release, host, session.context), (done) => renderRemoval(done, false));
}

export function renderRemoval({ remove, keep }: RemovalPlan, planned: boolean): string {
  return [
    ...remove.map(({ reference }) => `${planned ? 'would remove' : 'removed'} ${reference}`),
    ...keep.map(({ reference, why }) => `${planned ? 'would keep' : 'kept'} ${reference}: ${why}`),
  ].join('\n');
}

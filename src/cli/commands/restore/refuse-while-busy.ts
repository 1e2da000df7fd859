import type { Session } from '../../context.ts';

/**
 * On a machine that is down nobody can answer: only what runs is asked.
 * @throws {BusyError}
 */
export async function refuseWhileBusy(session: Session): Promise<void> {
  const { askWhetherBusy, refuseUnlessIdle } = await import('../../../backup/before/refuse-while.ts');
  const [deployment, engine] = [await session.deployment(), await session.engine()];
  const checks = deployment.backup?.refuseWhile ?? [];
  const answers = await askWhetherBusy(checks, { deployment, engine }, session.context.signal);
  const given = answers.filter(({ kind, check }) => {
    return kind !== 'not running' && (kind !== 'no answer' || check.service !== undefined);
  });
  refuseUnlessIdle(given, 'restoring');
}

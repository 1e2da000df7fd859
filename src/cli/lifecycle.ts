import type { Deployment, Service } from '../deployment/deployment.ts';
import type { Host } from '../lifecycle/host.ts';
import type { HostState } from '../lifecycle/host-state.ts';
import type { Plan } from '../lifecycle/plan/plan.ts';
import { imagesOf } from './catalog.ts';
import type { Session } from './context.ts';

/** Deployment and engine, with missing images to be had from the deployment's archives. */
export async function openHost(session: Session): Promise<Host> {
  const [deployment, { engine, catalog }, { loadFromArchives }] = await Promise.all([
    session.deployment(),
    imagesOf(session),
    import('../lifecycle/load-missing.ts'),
  ]);
  const { context } = session;
  return { deployment, engine, context, loadImages: loadFromArchives(deployment, engine, catalog, context) };
}

export type MakePlan = (deployment: Deployment, state: HostState, selected: Service[]) => Plan;

/**
 * Makes a plan for the services named, and prints it (`--dry-run`) or carries it out. `question` asks before what
 * cannot be undone.
 */
export async function perform(
  session: Session,
  names: readonly string[],
  makePlan: MakePlan,
  question?: (plan: Plan) => string,
): Promise<undefined> {
  const { selectServices } = await import('../lifecycle/select.ts');
  const { observe } = await import('../lifecycle/host-state.ts');
  const { carryOut } = await import('../lifecycle/carry-out/carry-out.ts');
  const host = await openHost(session);
  const selected = selectServices(host.deployment, names);
  const plan = makePlan(host.deployment, await observe(host), selected);
  if (session.global.dryRun) return showPlan(session, plan);
  if (question !== undefined && plan.steps.length > 0) await session.confirm(question(plan));
  if (plan.steps.some(({ do: what }) => what === 'start' || what === 'run-to-end'))
    await expectWholeData(session, host);
  await carryOut(plan, host);
  if (session.global.json) await showPlan(session, plan);
}

/** While a restore is half-way nothing starts, unless somebody insists. */
export async function expectWholeData(
  session: Session,
  { deployment }: Pick<Host, 'deployment'>,
): Promise<void> {
  const { refuseHalfReplaced } = await import('../restore/half-replaced.ts');
  if (!session.global.yes) await refuseHalfReplaced(deployment.name, session.context);
}

async function showPlan(session: Session, plan: Plan): Promise<undefined> {
  const { describeStep, stepDocument } = await import('../lifecycle/plan/plan.ts');
  if (session.global.dryRun) for (const warning of plan.warnings) session.context.progress.warn(warning);
  const document = { steps: plan.steps.map(stepDocument), warnings: plan.warnings };
  session.report(document, () => {
    return plan.steps.length === 0 ? 'nothing to do' : plan.steps.map(describeStep).join('\n');
  });
}

/** The containers a plan removes, for the question before it. */
export function removedBy({ steps }: Plan): string {
  return steps.flatMap((step) => (step.do === 'remove' ? [step.container] : [])).join(', ');
}

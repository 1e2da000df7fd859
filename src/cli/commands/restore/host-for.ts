import type { RestoreHost } from '../../../restore/host.ts';
import type { Session } from '../../context.ts';
import { openHost } from '../../lifecycle.ts';

/** The host is the deployment's: writing to a directory needs neither file nor engine. */
export async function hostFor(
  session: Session,
  to: string | undefined,
  hostCommands = true,
): Promise<RestoreHost | undefined> {
  if (to !== undefined) return undefined;
  const [{ deploymentServices }, { withoutHostCommands }] = await Promise.all([
    import('../../../restore/services/deployment-services.ts'),
    import('../../../deployment/commands/host-commands.ts'),
  ]);
  const named = await session.deployment();
  const deployment = hostCommands ? named : withoutHostCommands(named).deployment;
  const host = await openHost({ ...session, deployment: async () => deployment });
  return { engine: host.engine, services: deploymentServices(host), deployment: host.deployment };
}

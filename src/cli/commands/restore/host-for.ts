import type { RestoreHost } from '../../../restore/host.ts';
import type { Session } from '../../context.ts';
import { openHost } from '../../lifecycle.ts';

/** The host is the deployment's: writing to a directory needs neither file nor engine. */
export async function hostFor(session: Session, to: string | undefined): Promise<RestoreHost | undefined> {
  if (to !== undefined) return undefined;
  const { deploymentServices } = await import('../../../restore/services/deployment-services.ts');
  const host = await openHost(session);
  return { engine: host.engine, services: deploymentServices(host), deployment: host.deployment };
}

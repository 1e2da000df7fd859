import type { DatabaseServer } from '../../databases/databases.ts';
import type { RestoreHost } from '../host.ts';

/** The server in the container of a service that runs. */
export async function serverOf(
  service: string,
  { engine, services }: Pick<RestoreHost, 'engine' | 'services'>,
): Promise<DatabaseServer> {
  return { engine, container: await services.container(service) };
}

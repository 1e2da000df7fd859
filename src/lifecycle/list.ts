import type { Host } from './host.ts';
import { observe, type ServiceState } from './host-state.ts';

/** One container of the deployment, or one that is yet to be. */
export interface ListedService {
  /** Short name: the same under every release. */
  name: string;
  image: string;
  /** `Running`, `Stopped`, `Not created`, or what else the engine calls it. */
  state: string;
  container: string;
  release: string | undefined;
  storage: boolean;
}

/** The deployment's services in their order; behind each one its containers of other releases that still exist. */
export async function listServices(host: Host): Promise<ListedService[]> {
  const { services } = await observe(host);
  return [...services.values()].flatMap((one) => {
    const { name, image, storage } = one.service;
    return [
      {
        name,
        image,
        state: wordFor(one.state),
        container: one.container,
        release: host.deployment.release,
        storage,
      },
      ...one.otherReleases.map(({ container, release, image, running }) => ({
        name,
        image,
        state: running ? 'Running' : 'Stopped',
        container,
        release,
        storage,
      })),
    ];
  });
}

/** The legacy tool's words, where it had one. */
function wordFor(state: ServiceState['state']): string {
  switch (state) {
    case 'running':
      return 'Running';
    case 'missing':
      return 'Not created';
    case 'created':
    case 'exited':
      return 'Stopped';
    case 'foreign':
      return 'Not ours';
    default:
      return `${state.slice(0, 1).toUpperCase()}${state.slice(1)}`;
  }
}

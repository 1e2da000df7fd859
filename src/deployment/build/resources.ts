import type { Network, Volume } from '../deployment.ts';
import type { WrittenFile } from '../schema/file.ts';

/** The file's volumes; the engine knows them as `<deployment>_<key>` unless they have a name of their own. */
export function buildVolumes({ name: deployment, volumes }: WrittenFile): Volume[] {
  return Object.entries(volumes ?? {}).map(([key, settings]) => ({
    key,
    ...identity(deployment, key, settings),
    driver: settings?.driver,
    driverOptions: settings?.driver_opts ?? {},
    labels: settings?.labels ?? {},
  }));
}

/** The file's networks, and the network `default` when a service needs one that the file does not describe. */
export function buildNetworks({ name: deployment, networks, services }: WrittenFile): Network[] {
  const written = { ...networks };
  const needsDefault = Object.values(services ?? {}).some((service) => {
    return service.network_mode === undefined && 'default' in (service.networks ?? { default: {} });
  });
  if (needsDefault && written.default === undefined) written.default = null;
  return Object.entries(written).map(([key, settings]) => ({
    key,
    ...identity(deployment, key, settings),
    driver: settings?.driver,
    internal: settings?.internal ?? false,
    subnets: (settings?.ipam?.config ?? []).map(({ subnet, gateway }) => ({
      subnet,
      ...(gateway !== undefined && { gateway }),
    })),
    labels: settings?.labels ?? {},
  }));
}

interface Named {
  name?: string | undefined;
  external?: boolean | undefined;
}

function identity(
  deployment: string,
  key: string,
  settings: Named | null,
): { name: string; external: boolean } {
  const external = settings?.external ?? false;
  return { name: settings?.name ?? (external ? key : `${deployment}_${key}`), external };
}

import type { Deployment, Hook, Service } from '../deployment.ts';

/**
 * The same deployment without the commands that it runs on the host itself, for a file that nobody vouches for. What
 * runs inside containers stays.
 * @returns which those are, in words
 */
export function withoutHostCommands(deployment: Deployment): { deployment: Deployment; left: string[] } {
  const { backup, services } = deployment;
  const inContainer = ({ service }: { service: string | undefined }) => service !== undefined;
  const stays = backup && {
    ...backup,
    refuseWhile: backup.refuseWhile.filter(inContainer),
    inventories: backup.inventories.filter(inContainer),
    sources: backup.sources.filter((source) => source.kind !== 'run' || inContainer(source)),
    hooks: { onSuccess: [], onFailure: [] },
  };
  return {
    deployment: { ...deployment, services: services.map(withoutHostHooks), backup: stays },
    left: hostCommands(deployment),
  };
}

/** Every command that a deployment runs on the host, and when. */
export function hostCommands({ services, backup }: Deployment): string[] {
  const hooks = services.flatMap(({ name, hooks }) =>
    Object.entries(hooks).flatMap(([point, all]) =>
      all.filter(isOnHost).map(({ command }) => `${point} of ${name}: ${command.join(' ')}`),
    ),
  );
  const asked = [...(backup?.refuseWhile ?? []), ...(backup?.inventories ?? [])]
    .filter(({ service }) => service === undefined)
    .map(({ name, command }) => `${name}: ${command.join(' ')}`);
  const sources = (backup?.sources ?? []).flatMap((source) => {
    if (source.kind !== 'run' || source.service !== undefined) return [];
    return [`source ${source.name}: ${source.restore.join(' ')}`];
  });
  const { onSuccess = [], onFailure = [] } = backup?.hooks ?? {};
  const after = [...onSuccess, ...onFailure].map((command) => `after backups: ${command.join(' ')}`);
  return [...hooks, ...asked, ...sources, ...after];
}

function withoutHostHooks(service: Service): Service {
  const hooks = Object.fromEntries(
    Object.entries(service.hooks).map(([point, all]) => [point, all.filter((hook) => !isOnHost(hook))]),
  );
  return { ...service, hooks };
}

function isOnHost({ where }: Hook): boolean {
  return where === 'host';
}

import type { ReadableRepository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import type { Context } from '../support/context.ts';
import { recordAdopted } from './deployment-file/adopted-file.ts';
import type { RestoreHost } from './host.ts';
import type { RestoreRecord } from './journal.ts';
import type { RestorePlan } from './plan/plan.ts';
import type { SelectedSource, Selection } from './plan/select.ts';
import type { RestoreRequest } from './restore.ts';
import type { ServiceState } from './services/services.ts';

/** What was decided before anything changes. */
export interface Decided {
  request: Selection & Pick<RestoreRequest, 'skipDamaged' | 'adopted'>;
  snapshot: Snapshot;
  selected: readonly SelectedSource[];
  plan: RestorePlan;
  services: readonly ServiceState[];
}

export interface RunPorts {
  repository: ReadableRepository;
  host: RestoreHost | undefined;
}

/** What a journal begins with: everything that is known, and nothing done yet. */
export async function recordOf(
  { request, snapshot, selected, plan, services }: Decided,
  { repository, host }: RunPorts,
  context: Context,
): Promise<Omit<RestoreRecord, 'version' | 'id'>> {
  return {
    started: context.now().toISOString(),
    repository: repository.directory,
    snapshot: snapshot.id,
    ...(host && { deployment: host.deployment.name }),
    taken: takenOf(plan),
    request: requestOf(request),
    ...(request.adopted && { adopted: recordAdopted(request.adopted) }),
    ...(plan.losses.length > 0 && { losses: plan.losses }),
    sources: selected.map(({ summary: { name, title, files, bytes } }) => ({ name, title, files, bytes })),
    phase: 'staging',
    createdDirectories: [],
    createdVolumes: await missingVolumes(selected, host),
    places: [],
    times: [],
    leftOutRules: [],
    kept: [],
    databases: databasesOf(selected),
    rebuilt: [],
    commands: commandsOf(selected),
    stop: plan.stop,
    start: plan.start,
    running: namesOf(services, 'running'),
    missing: namesOf(services, 'missing'),
  };
}

function requestOf({
  only,
  full,
  to,
  hostCommands,
  skipDamaged,
}: Decided['request']): RestoreRecord['request'] {
  return {
    only,
    full,
    to,
    ...(hostCommands === false && { hostCommands }),
    ...(skipDamaged && { skipDamaged }),
  };
}

function takenOf({ snapshot, passedOver }: RestorePlan): NonNullable<RestoreRecord['taken']> {
  const { started, host, deployment } = snapshot;
  const told = passedOver.map((newer) => ({ ...newer, started: newer.started?.toISOString() }));
  return { started: started.toISOString(), host, deployment, passedOver: told };
}

/** The restore will make them, and undoing it removes them. */
async function missingVolumes(
  selected: readonly SelectedSource[],
  host: RestoreHost | undefined,
): Promise<string[]> {
  const volumes = new Set(selected.flatMap(({ volume, volumes = [] }) => volumes.concat(volume ?? [])));
  const missing: string[] = [];
  for (const volume of volumes) {
    if (!(await host!.engine.volumes.inspect(volume))) missing.push(volume);
  }
  return missing;
}

function databasesOf(selected: readonly SelectedSource[]): RestoreRecord['databases'] {
  return selected.flatMap(({ summary, database }) =>
    database === undefined ? [] : [{ source: summary.name, ...database }],
  );
}

function commandsOf(selected: readonly SelectedSource[]): RestoreRecord['commands'] {
  return selected.flatMap(({ summary, command }) => {
    if (command === undefined) return [];
    const { service, run, restore, timeout } = command;
    return [{ source: summary.name, service, run, restore, timeout }];
  });
}

function namesOf(services: readonly ServiceState[], state: ServiceState['state']): string[] {
  return services.filter((service) => service.state === state).map(({ name }) => name);
}

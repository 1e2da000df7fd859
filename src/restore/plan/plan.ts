import type { Provenance } from '../../repository/signed/provenance.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { overlap } from '../../support/path-containment.ts';
import type { ToldLoss } from '../salvage/loss.ts';
import type { ServiceState, Stranger } from '../services/services.ts';
import type { PassedOver } from './choose.ts';
import { needsImages } from './images.ts';
import type { SelectedSource } from './select.ts';
import { servicesToStart, servicesToStop } from './services-concerned.ts';

/** What a restore would do, as data. Nothing else decides. */
export interface RestorePlan {
  snapshot: Pick<Snapshot, 'id' | 'started' | 'host' | 'deployment' | 'release' | 'complete'>;
  /** Newer ones that `latest` did not mean. */
  passedOver: PassedOver[];
  /** Who made it. */
  provenance: Provenance;
  /** The release that the deployment file names now. */
  release: string | undefined;
  sources: PlannedSource[];
  skipped: { name: string; title: string; reason: string }[];
  /** What of it is damaged and will not come back; known only when that was asked for. */
  losses: ToldLoss[];
  /** Services to stop, and those to start afterwards, each in the order it happens. */
  stop: string[];
  start: string[];
  space: SpaceNeed[];
  /** What the operator should know before saying yes. */
  warnings: string[];
}

export interface PlannedSource extends Pick<SourceSummary, 'name' | 'title' | 'kind' | 'files' | 'bytes'> {
  /** When its reading began: the moment this data is of. */
  taken: Date;
  /** Where it goes, in words; and whether something is there that will be replaced. */
  targets: { where: string; replaces: boolean }[];
}

/** Need and supply of one file system. */
export interface SpaceNeed {
  /** A directory on it. */
  directory: string;
  bytes: { need: number; free: number };
  /** `free` is undefined where the file system makes inodes as it goes. */
  inodes: { need: number; free: number | undefined };
}

/** What is known about the host when the plan is made. */
export interface Survey {
  release: string | undefined;
  services: ServiceState[];
  strangers: Stranger[];
  targets: { source: string; path: string; where: string; exists: boolean }[];
  /** Only some sources were asked for. */
  partial: boolean;
  space: SpaceNeed[];
  /** It is written to a directory: what runs here does not matter. */
  beside?: boolean;
}

/** Pure: the same snapshot and survey give the same plan. */
export function planRestore(
  snapshot: Snapshot,
  selected: readonly SelectedSource[],
  skipped: RestorePlan['skipped'],
  survey: Survey,
): Omit<RestorePlan, 'passedOver' | 'provenance' | 'losses'> {
  const stop = servicesToStop(selected, survey);
  const start = servicesToStart(selected, stop, survey);
  const known = selected.filter(({ images }) => images && !needsImages(start, survey));
  return {
    snapshot: {
      id: snapshot.id,
      started: snapshot.started,
      host: snapshot.host,
      deployment: snapshot.deployment,
      release: snapshot.release,
      complete: snapshot.complete,
    },
    release: survey.release,
    sources: selected
      .filter((source) => !known.includes(source))
      .map((source) => plannedSource(source, survey)),
    skipped: [...skipped, ...known.map(leftToTheEngine)],
    stop: stop.toReversed(),
    start,
    space: survey.space,
    warnings: warningsOf(snapshot, selected, survey),
  };
}

/** They are not read then, so nobody says of them that they came back. */
function leftToTheEngine({ summary: { name, title } }: SelectedSource): RestorePlan['skipped'][number] {
  return { name, title, reason: 'the engine has the images that are needed' };
}

function plannedSource(
  { summary, database, rebuilt, command, images }: SelectedSource,
  { targets, services }: Survey,
): PlannedSource {
  const { name, title, kind, files, bytes, started } = summary;
  const own = targets.filter(({ source }) => source === name);
  const exists = services.some(
    (service) => service.name === database?.service && service.state !== 'missing',
  );
  return {
    name,
    title,
    kind,
    files,
    bytes,
    taken: started,
    targets: [
      ...own.map((target) => ({ where: placeOf(target.where, rebuilt), replaces: target.exists })),
      ...(command ? [{ where: `the command ${command.restore[0]}`, replaces: true }] : []),
      ...(images ? [{ where: 'the engine, what it lacks', replaces: false }] : []),
      ...(database ? [{ where: `${database.engine} in ${database.service}`, replaces: exists }] : []),
    ],
  };
}

function placeOf(where: string, rebuilt: SelectedSource['rebuilt']): string {
  return rebuilt === undefined ? where : `${rebuilt.engine} in ${rebuilt.service}: ${where}`;
}

function warningsOf(snapshot: Snapshot, selected: readonly SelectedSource[], survey: Survey): string[] {
  const warnings = selected.flatMap(({ summary }) =>
    summary.complete ? [] : [`${summary.title}: this backup of it is incomplete${reasonOf(summary)}`],
  );
  for (const { summary, database, rebuilt } of selected) {
    const { service, doubt } = database ?? rebuilt ?? {};
    if (doubt) warnings.push(`${summary.title}: ${service} may refuse it: ${doubt}`);
  }
  if (!survey.beside && snapshot.release !== survey.release) {
    warnings.push(
      `the backup is of release ${snapshot.release ?? '(none)'}, here is ${survey.release ?? '(none)'}`,
    );
  }
  for (const { name, mounts } of survey.strangers) {
    const used = survey.targets.find(({ path }) => mounts.some(({ source }) => overlap(source, path)));
    if (used)
      warnings.push(
        `container ${name}, no service of this deployment, uses ${used.where} and will not be stopped`,
      );
  }
  return warnings;
}

function reasonOf({ warnings }: SourceSummary): string {
  return warnings[0] === undefined ? '' : `: ${warnings[0]}`;
}

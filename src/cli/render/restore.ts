import { shortId } from '../../repository/snapshot/short-id.ts';
import type { RestoreReport } from '../../restore/conclude.ts';
import type { RestorePlan } from '../../restore/plan/plan.ts';
import type { ToldLoss } from '../../restore/salvage/loss.ts';
import type { RestoreStatus } from '../../restore/unfinished.ts';
import { count, formatBytes, formatTime } from '../../support/quantities.ts';
import { renderProvenance } from './provenance.ts';
import { printable, renderTable } from './table.ts';

/** What is replaced, by title; what stops; what to know. */
export function renderPlan(plan: RestorePlan): string {
  const { snapshot } = plan;
  return [
    `snapshot ${shortId(snapshot.id)} of ${printable(snapshot.deployment)} on ${printable(snapshot.host)}, ` +
      `${formatTime(new Date(snapshot.started))}, release ${printable(snapshot.release ?? 'none')}`,
    ...renderPassedOver(plan),
    `${renderProvenance(plan.provenance)}; digest ${snapshot.id}`,
    ...(snapshot.complete ? [] : ['it is INCOMPLETE']),
    '',
    renderTable(['RESTORES', 'FILES', 'SIZE', 'TO', ''], plan.sources.flatMap(sourceRows)),
    ...plan.skipped.map(({ title, reason }) => `leaves out ${printable(title)}: ${reason}`),
    '',
    ...(plan.stop.length > 0 ? [`stops ${plan.stop.join(', ')}`] : []),
    ...(plan.start.length > 0 ? [`starts ${plan.start.join(', ')}`] : []),
    ...plan.space.map(
      ({ directory, bytes }) =>
        `needs ${formatBytes(bytes.need)} in ${printable(directory)}, where ${formatBytes(bytes.free)} are free`,
    ),
    ...plan.warnings.map((warning) => `note: ${printable(warning)}`),
    ...renderLosses(plan.losses),
    ...renderPassedOver(plan),
  ].join('\n');
}

/** Who restores `latest` expects the newest: first and last it is said that it is not. */
export function renderPassedOver({
  passedOver,
}: {
  passedOver: readonly { id: string; started: Date | string | undefined; reason: string }[];
}): string[] {
  return passedOver.map(({ id, started, reason }) => {
    const time = started === undefined ? 'an unknown time' : formatTime(new Date(started));
    return `NOT THE NEWEST: snapshot ${shortId(id)} of ${time} is passed over: ${printable(reason)}`;
  });
}

export function renderReport(report: RestoreReport): string {
  const { snapshot, taken } = report;
  const passedOver = taken === undefined ? [] : renderPassedOver(taken);
  return [
    ...(taken === undefined ? [] : [`restored snapshot ${shortId(snapshot)} of ${renderTaken(taken)}`]),
    ...passedOver,
    ...report.sources.map(renderSource),
    ...report.databases.map(renderDatabase),
    ...(report.started.length > 0 ? [`running and ready: ${report.started.join(', ')}`] : []),
    ...report.leftOut.slice(0, mostLeftOut).map((path) => `left as it was: ${printable(path)}`),
    ...(report.leftOut.length > mostLeftOut
      ? [`and ${report.leftOut.length - mostLeftOut} more that backups leave out`]
      : []),
    ...report.newcomers.flatMap(({ inventory, labels, advice }) =>
      labels.map((label) => `${printable(inventory)} ${printable(label)}: ${printable(advice)}`),
    ),
    ...report.warnings.map((warning) => `note: ${printable(warning)}`),
    ...renderLosses(report.losses),
    ...report.kept.map((where) => `replaced data is kept in ${printable(where)}`),
    ...(report.kept.length > 0 ? ['dockerctl restore --rollback brings it back; --drop-old removes it'] : []),
    ...passedOver,
  ].join('\n');
}

function renderTaken({ started, host, deployment }: NonNullable<RestoreReport['taken']>): string {
  return `${printable(deployment)} on ${printable(host)}, as it was at ${formatTime(new Date(started))}`;
}

function renderSource({ title, files, bytes }: RestoreReport['sources'][number]): string {
  return `restored ${printable(title)}: ${count(files, 'file')}, ${formatBytes(bytes)}`;
}

function renderDatabase({ service, name, tables, rows }: RestoreReport['databases'][number]): string {
  return `restored database ${printable(name)} of ${service}: ${count(tables, 'table')}, ${count(rows, 'row')}`;
}

/** All of them: what is lost and not named is forgotten. */
function renderLosses(losses: readonly ToldLoss[]): string[] {
  if (losses.length === 0) return [];
  const ranges = losses.flatMap((loss) => loss.ranges);
  const files = losses.flatMap((loss) => loss.files);
  return [
    ...ranges.map((range) => `LOST ${printable(range)}`),
    ...files.map(({ path, reason }) => `LOST ${printable(path)}: ${printable(reason)}`),
    ...losses.flatMap(({ directories }) =>
      directories.map((path) => `owner and rights are LOST, only root may enter: ${printable(path)}`),
    ),
    `the snapshot is DAMAGED: lost are ${count(files.length, 'file')}` +
      (ranges.length > 0
        ? `, and ${count(ranges.length, 'stretch', 'stretches')} of which nobody knows what was there`
        : ''),
  ];
}

/** On a terminal; `--json` has all. */
const mostLeftOut = 10;

export function renderStatus(all: readonly RestoreStatus[]): string {
  if (all.length === 0) return 'no restore is unfinished, and no replaced data is kept';
  return all
    .flatMap(({ id, started, phase, underWay, snapshot, kept }) => [
      `${id}  ${formatTime(new Date(started))}  snapshot ${shortId(snapshot)}  ${underWay ? 'under way' : wordFor[phase]}`,
      ...kept.map((where) => `  keeps ${printable(where)}`),
    ])
    .join('\n');
}

const wordFor: Record<RestoreStatus['phase'], string> = {
  staging: 'UNFINISHED, nothing replaced yet: --resume or --rollback',
  swapping: 'UNFINISHED, in the middle of replacing: --resume or --rollback',
  done: 'done',
};

function sourceRows({ title, files, bytes, targets }: RestorePlan['sources'][number]): string[][] {
  const rows = targets.map(({ where, replaces }) => [where, replaces ? 'replaces what is there' : 'new']);
  return (rows.length > 0 ? rows : [['', '']]).map((row, index) =>
    index === 0 ? [title, String(files), formatBytes(bytes), ...row] : ['', '', '', ...row],
  );
}

import type { BackupPlan } from '../../backup/plan.ts';
import { type RemoteAddress, renderRemoteAddress } from '../../backup/remote/address.ts';
import type { BackupReport, Changes, SourceReport } from '../../backup/report.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { count, formatBytes, formatDuration } from '../../support/quantities.ts';
import { renderTable } from './table.ts';

export function renderPlan({
  repository,
  remote,
  sources,
  leftOut,
  checks,
}: BackupPlan & { remote?: RemoteAddress }): string {
  const onward = remote === undefined ? '' : `, and send that to ${renderRemoteAddress(remote)}`;
  return [
    `would back up to ${repository}${onward}:`,
    ...sources.map(({ name, title }) => `  ${name}: ${title}`),
    ...leftOut.map(({ name, title }) => `  not ${name}: ${title} (only with --full)`),
    ...checks.map(({ name }) => `  unless ${name}`),
  ].join('\n');
}

/** On a terminal what became of every source; elsewhere one line. */
export function renderReport(report: BackupReport, details: boolean): string {
  return details ? `${renderSources(report.sources)}\n${summary(report)}` : summary(report);
}

function renderSources(sources: readonly SourceReport[]): string {
  const header = ['SOURCE', 'FILES', 'SIZE', 'NEW', 'CHANGES', 'TIME', ''];
  return renderTable(header, sources.map(row));
}

function row({ title, files, bytes, newBytes, changes, started, ended, complete }: SourceReport): string[] {
  const seconds = (ended.getTime() - started.getTime()) / 1000;
  return [
    title,
    String(files),
    formatBytes(bytes),
    formatBytes(newBytes),
    renderChanges(changes),
    formatDuration(seconds),
    complete ? '' : 'incomplete',
  ];
}

function renderChanges({ added, changed, removed }: Changes): string {
  const parts = Object.entries({ new: added, changed, removed }).filter(([, number]) => number > 0);
  return parts.length === 0 ? 'none' : parts.map(([word, number]) => `${number} ${word}`).join(', ');
}

function summary({ snapshot, unchanged, leftOut, unsigned }: BackupReport): string {
  const { id, complete, added, started, ended } = snapshot;
  const time = formatDuration((ended.getTime() - started.getTime()) / 1000);
  const what = unchanged ? 'nothing has changed since the last one' : `${formatBytes(added.bytes)} added`;
  const without = leftOut.length === 0 ? '' : `; without ${count(leftOut.length, 'source')} that --full adds`;
  const signed = unsigned === undefined ? '' : `; not signed: ${unsigned}`;
  return `snapshot ${shortId(id)}${complete ? '' : ' (incomplete)'}: ${what}, in ${time}${without}${signed}`;
}

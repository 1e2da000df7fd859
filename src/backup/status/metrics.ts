import type { BackupStatus, RunRecord, SnapshotRecord, VerificationRecord } from './status.ts';

/**
 * The status as a text file for Prometheus' node exporter. `docs/monitoring.md` promises these names. Source of the
 * format: Prometheus text exposition format 0.0.4.
 */
export function renderMetrics(status: BackupStatus): string {
  const { deployment, lastRun, lastComplete, lastVerified, snapshots } = status;
  const gauges: Gauge[] = [
    ...(lastRun === null ? [] : ofLastRun(lastRun)),
    ...(lastComplete === null ? [] : ofLastComplete(lastComplete)),
    ...(lastVerified === null ? [] : ofLastVerified(lastVerified)),
    ['snapshots_complete', 'Complete snapshots in the repository.', snapshots.complete],
    ['snapshots_incomplete', 'Incomplete snapshots in the repository.', snapshots.incomplete],
  ];
  const labels = `{deployment="${escapeLabel(deployment)}"}`;
  return gauges
    .map(([name, help, value]) => {
      const full = `dockerctl_backup_${name}`;
      return `# HELP ${full} ${help}\n# TYPE ${full} gauge\n${full}${labels} ${value}\n`;
    })
    .join('');
}

type Gauge = [name: string, help: string, value: number];

function ofLastRun({ started, ended, outcome }: RunRecord): Gauge[] {
  const complete = outcome === 'complete' ? 1 : 0;
  return [
    ['last_run_timestamp_seconds', 'When the last run ended.', unixTime(ended)],
    [
      'last_run_success',
      '1 when the last run made a complete snapshot and took it where it should.',
      complete,
    ],
    [
      'last_run_duration_seconds',
      'How long the last run took.',
      (Date.parse(ended) - Date.parse(started)) / 1000,
    ],
  ];
}

function ofLastComplete({ started, files, bytes, addedBytes }: SnapshotRecord): Gauge[] {
  return [
    ['last_complete_timestamp_seconds', 'When the last complete snapshot began.', unixTime(started)],
    ['last_complete_files', 'Files in the last complete snapshot.', files],
    ['last_complete_bytes', 'Bytes of the files in the last complete snapshot.', bytes],
    ['last_complete_added_bytes', 'Bytes that it added to the repository.', addedBytes],
  ];
}

function ofLastVerified({ ended }: VerificationRecord): Gauge[] {
  return [
    ['last_verified_timestamp_seconds', 'When a check last found the repository whole.', unixTime(ended)],
  ];
}

function unixTime(time: string): number {
  return Date.parse(time) / 1000;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

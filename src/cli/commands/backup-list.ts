import type { Command } from 'commander';
import type { Snapshot } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { openBackupRepository, repositoryOption } from '../backup-repository.ts';
import type { Session } from '../context.ts';
import type { ParsedInput } from '../program.ts';
import { formatBytes, formatTime } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import type { Wrap } from './all.ts';

export function addBackupList(backup: Command, wrap: Wrap): void {
  backup
    .command('list')
    .description('list snapshots, oldest first')
    .option(...repositoryOption)
    .action(wrap(listSnapshots));
}

async function listSnapshots(session: Session, { options }: ParsedInput): Promise<undefined> {
  const repository = await openBackupRepository(session, options.repository);
  try {
    session.result(await repository.snapshots(), renderSnapshots);
  } finally {
    await repository.close();
  }
}

function renderSnapshots(snapshots: readonly Snapshot[]): string {
  if (snapshots.length === 0) return 'no snapshots yet';
  const header = [
    'ID',
    'STARTED',
    'HOST',
    'DEPLOYMENT',
    'RELEASE',
    'SOURCES',
    'FILES',
    'SIZE',
    'ADDED',
    'STATE',
  ];
  return renderTable(header, snapshots.map(row));
}

function row({ id, started, host, deployment, release, sources, added, complete }: Snapshot): string[] {
  const total = (of: 'files' | 'bytes') => sources.reduce((sum, source) => sum + source[of], 0);
  return [
    shortId(id),
    formatTime(started),
    host,
    deployment,
    release ?? '-',
    sources.map(({ name }) => name).join(' '),
    String(total('files')),
    formatBytes(total('bytes')),
    formatBytes(added.bytes),
    complete ? 'complete' : 'incomplete',
  ];
}

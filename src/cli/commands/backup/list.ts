import type { Command } from 'commander';
import type { Repository } from '../../../repository/repository.ts';
import type { Provenance, TrustedKeys } from '../../../repository/signed/provenance.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../repository/snapshot/snapshot.ts';
import { mapAFew } from '../../../support/map-a-few.ts';
import { formatBytes, formatTime } from '../../../support/quantities.ts';
import { openBackupRepository, repositoryOption } from '../../arguments/backup-repository.ts';
import { signersOption, trustedKeys } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { provenanceCell } from '../../render/provenance.ts';
import { stateOf } from '../../render/state.ts';
import { renderFittedTable, widthOf } from '../../render/table.ts';

export function addBackupList(backup: Command, wrap: Wrap): void {
  backup
    .command('list')
    .description('list snapshots, oldest first')
    .option(...repositoryOption)
    .option(...signersOption)
    .action(wrap(listSnapshots));
}

async function listSnapshots(session: Session, { options }: ParsedInput): Promise<undefined> {
  const repository = await openBackupRepository(session, options.repository);
  try {
    const keys = await trustedKeys(session, options.signers);
    const width = widthOf(session.io.stdout);
    session.result(await withProvenance(repository, keys), (all) => renderSnapshots(all, width));
  } finally {
    await repository.close();
  }
}

type ListedSnapshot = Snapshot & { provenance: Provenance };

async function withProvenance(repository: Repository, keys: TrustedKeys): Promise<ListedSnapshot[]> {
  const { checksAtOnce, provenanceOf } = await import('../../../repository/signed/provenance.ts');
  return mapAFew(await repository.snapshots(), checksAtOnce, async (snapshot) => {
    const signed = await repository.signedConfig(snapshot);
    const what = `snapshot ${shortId(snapshot.id)}`;
    return { ...snapshot, provenance: await provenanceOf(signed, keys, what) };
  });
}

function renderSnapshots(snapshots: readonly ListedSnapshot[], width: number): string {
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
    'SIGNED',
  ];
  const optional = ['SOURCES', 'HOST', 'DEPLOYMENT', 'RELEASE', 'SIGNED', 'STATE'];
  return renderFittedTable(header, snapshots.map(row), { width, optional });
}

function row(snapshot: ListedSnapshot): string[] {
  const { id, started, host, deployment, release, sources, added, provenance } = snapshot;
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
    stateOf(snapshot),
    provenanceCell(provenance),
  ];
}

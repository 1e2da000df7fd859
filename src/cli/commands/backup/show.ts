import type { Command } from 'commander';
import type { Repository } from '../../../repository/repository.ts';
import type { Provenance } from '../../../repository/signed/provenance.ts';
import { closestTo } from '../../../repository/snapshot/origin.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import type { Snapshot, SourceSummary } from '../../../repository/snapshot/snapshot.ts';
import { count, formatBytes, formatDuration, formatTime } from '../../../support/quantities.ts';
import {
  identityOption,
  openBackupRepository,
  ownOrigin,
  repositoryOption,
  snapshotNames,
} from '../../arguments/backup-repository.ts';
import { signersOption, trustedKeys } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderProvenance } from '../../render/provenance.ts';
import { stateOf } from '../../render/state.ts';
import { printable, renderFittedTable, widthOf } from '../../render/table.ts';

export function addBackupShow(backup: Command, wrap: Wrap): void {
  backup
    .command('show [snapshot]')
    .description('tell what a snapshot holds, and every warning of its run; the newest when none is named')
    .option(...repositoryOption)
    .option(...identityOption)
    .option(...signersOption)
    .addHelpText('after', snapshotNames)
    .action(wrap(show));
}

async function show(session: Session, { args: [name], options }: ParsedInput): Promise<undefined> {
  const { provenanceOf } = await import('../../../repository/signed/provenance.ts');
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const snapshot = await repository.find(name ?? (await newest(session, repository, options.repository)));
    const signed = await repository.signedConfig(snapshot);
    const keys = await trustedKeys(session, options.signers);
    const provenance = await provenanceOf(signed, keys, `snapshot ${shortId(snapshot.id)}`);
    const width = widthOf(session.io.stdout);
    session.result({ ...snapshot, provenance }, (shown) => renderSnapshot(shown, width));
  } finally {
    await repository.close();
  }
}

/** Complete or not: who looks after a bad night wants to see that night. */
async function newest(session: Session, repository: Repository, named: string | undefined): Promise<string> {
  const all = await repository.snapshots();
  const own = named === undefined ? closestTo(all, await ownOrigin(session)) : all;
  return own.at(-1)?.id ?? 'latest';
}

function renderSnapshot(snapshot: Snapshot & { provenance: Provenance }, width: number): string {
  const { id, host, deployment, release, started, ended, sources, added, tags, recipients, provenance } =
    snapshot;
  const seconds = (ended.getTime() - started.getTime()) / 1000;
  const blobs = `${formatBytes(added.bytes)} in ${count(added.blobs, 'file')} of the repository`;
  return [
    `snapshot:    ${id} (${stateOf(snapshot)})`,
    `deployment:  ${printable(`${deployment}${release === undefined ? '' : `, release ${release}`}, on ${host}`)}`,
    `taken:       ${formatTime(started)}, in ${formatDuration(seconds)}`,
    `added:       ${blobs}`,
    `signature:   ${renderProvenance(provenance)}`,
    ...(tags.length === 0 ? [] : [`tags:        ${printable(tags.join(', '))}`]),
    ...(recipients.length === 0 ? [] : [`encrypted:   to ${printable(recipients.join(', '))}`]),
    '',
    renderFittedTable(header, sources.map(row), { width, optional: ['STATE', 'TAKEN'] }),
    ...sources.flatMap(warningsOf),
  ].join('\n');
}

const header = ['SOURCE', 'TITLE', 'FILES', 'SIZE', 'NEW', 'TAKEN', 'STATE'];

function row({ name, title, files, bytes, newBytes, started, complete }: SourceSummary): string[] {
  const state = complete ? 'complete' : 'incomplete';
  return [name, title, String(files), formatBytes(bytes), formatBytes(newBytes), formatTime(started), state];
}

function warningsOf({ name, warnings }: SourceSummary): string[] {
  return warnings.length === 0
    ? []
    : [
        '',
        `${name}:`,
        ...warnings.flatMap((warning) => warning.split('\n')).map((line) => `  ${printable(line)}`),
      ];
}

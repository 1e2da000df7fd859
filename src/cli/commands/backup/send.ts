import type { Command } from 'commander';
import {
  parseRemoteAddress,
  type RemoteAddress,
  renderRemoteAddress,
} from '../../../backup/remote/address.ts';
import type { SendReport } from '../../../repository/carry/send.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import { openBackupRepository, repositoryOption, snapshotNames } from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addBackupSend(backup: Command, wrap: Wrap): void {
  backup
    .command('send <snapshot> <user@host:/path>')
    .description('send what a repository on another host lacks of a snapshot, over ssh')
    .option(...repositoryOption)
    .addHelpText('after', snapshotNames)
    .action(wrap(send));
}

async function send(session: Session, { args: [name, to], options }: ParsedInput): Promise<undefined> {
  const { sendToHost } = await import('../../../backup/remote/send-to-host.ts');
  const address = parseRemoteAddress(to);
  const repository = await openBackupRepository(session, options.repository);
  try {
    const outgoing = await repository.outgoing(await repository.find(name));
    if (session.global.dryRun) {
      const { id } = outgoing.snapshot;
      const where = renderRemoteAddress(address);
      session.result(
        { snapshot: id, to: where },
        () => `would send what ${where} lacks of snapshot ${shortId(id)}`,
      );
      return;
    }
    const report = await sendToHost(outgoing, address, session.context);
    session.report(report, (sent) => renderSendReport(sent, address));
  } finally {
    await repository.close();
  }
}

/**
 * One line about what went over.
 * @param isLate an earlier run was to send it
 */
export function renderSendReport(
  { snapshot, existed, sent, by }: SendReport,
  address: RemoteAddress,
  { isLate = false } = {},
): string {
  const what = `snapshot ${shortId(snapshot)}${isLate ? ', owed since an earlier run,' : ''}`;
  const where = renderRemoteAddress(address);
  if (existed && sent.blobs === 0) return `${what} was already at ${where}`;
  const how = by === 'rsync' ? `; ${byRsync}` : '';
  return `${what} sent to ${where}: ${count(sent.blobs, 'file')}, ${formatBytes(sent.bytes)}${how}`;
}

const byRsync = 'by rsync, for dockerctl is not installed there: this host could overwrite what lies there';

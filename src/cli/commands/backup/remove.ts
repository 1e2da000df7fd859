import type { Command } from 'commander';
import { isRemote, parseRemoteAddress } from '../../../backup/remote/address.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { count, formatTime } from '../../../support/quantities.ts';
import {
  identityOption,
  openBackupRepository,
  repositoryOption,
  snapshotNames,
} from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { removeAndRecord, removeWhenFree, renderReport } from './prune.ts';

export function addBackupRemove(backup: Command, wrap: Wrap): void {
  backup
    .command('remove <snapshot...>')
    .description('remove snapshots by id, and what only they need')
    .option(...repositoryOption)
    .option(...identityOption)
    .addHelpText(
      'after',
      `${snapshotNames}\nWith --repository user@host:/path it removes there, unless that host only lets snapshots be added.`,
    )
    .action(wrap(remove));
}

async function remove(session: Session, { args: [names], options }: ParsedInput): Promise<undefined> {
  if (isRemote(options.repository ?? '')) return removeThere(session, names, options.repository);
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const found = await Promise.all((names as string[]).map((name) => repository.find(name)));
    const doomed = [...new Map(found.map((snapshot) => [snapshot.id, snapshot])).values()];
    const list = doomed.map(({ id, started }) => `${shortId(id)} of ${formatTime(started)}`).join(', ');
    if (session.global.dryRun) {
      session.result({ snapshots: doomed.map(({ id }) => id) }, () => `would remove ${list}`);
      return;
    }
    await session.confirm(`Remove ${count(doomed.length, 'snapshot')} for good: ${list}`);
    const ids = doomed.map(({ id }) => id);
    const isOwn = options.repository === undefined;
    const report = await (isOwn
      ? removeAndRecord(session, repository, ids)
      : removeWhenFree(session, repository, ids));
    session.report(report, renderReport);
  } finally {
    await repository.close();
  }
}

/** From a repository on another host, if it lets itself be asked. */
async function removeThere(session: Session, names: readonly string[], where: string): Promise<undefined> {
  const { removeAtHost } = await import('../../../backup/remote/send-to-host.ts');
  const address = parseRemoteAddress(where);
  const what = `${count(names.length, 'snapshot')} from ${where}: ${names.join(', ')}`;
  if (session.global.dryRun) {
    session.result({ snapshots: names }, () => `would remove ${what}`);
    return;
  }
  await session.confirm(`Remove ${what}, for good`);
  session.report(await removeAtHost(names, address, session.context), renderReport);
}

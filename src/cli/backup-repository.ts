import { resolve } from 'node:path';
import type { Repository } from '../repository/repository.ts';
import { UsageError } from '../support/errors.ts';
import type { Session } from './context.ts';

/** The option of every command that reads backups: on a bare machine there is no deployment file to ask. */
export const repositoryOption = [
  '-r, --repository <dir>',
  'directory of the backups, instead of the one the deployment file names',
] as const;

/** Opens the repository that was named, else the deployment's. */
export async function openBackupRepository(session: Session, named: string | undefined): Promise<Repository> {
  const { openRepository } = await import('../repository/open.ts');
  const directory = await backupDirectory(session, named);
  return openRepository(directory, session.context);
}

/** Where the backups are. */
export async function backupDirectory(session: Session, named: string | undefined): Promise<string> {
  if (named !== undefined) return resolve(session.io.workingDirectory, named);
  const { backup, file } = await session.deployment();
  if (backup !== undefined) return backup.repository;
  throw new UsageError(`looking for the backups of ${file}: it has no x-dockerctl.backup`, {
    advice: 'Name their directory with --repository DIR.',
  });
}

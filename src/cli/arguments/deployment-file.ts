import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BackupSettings, Deployment } from '../../deployment/deployment.ts';
import { NotFoundError, UsageError } from '../../support/errors.ts';
import type { Session } from '../context.ts';
import type { Io } from '../io.ts';

/**
 * Where the deployment is described: `--file`, else `$DOCKERCTL_FILE`, else the first of the usual places that exists.
 */
export async function findDeploymentFile(io: Io, named: string | undefined): Promise<string> {
  const explicit = named ?? io.environment.DOCKERCTL_FILE;
  const places = explicit ? [explicit] : ['dockerctl.yaml', '/etc/dockerctl/deployment.yaml'];
  for (const place of places) {
    const path = resolve(io.workingDirectory, place);
    if (await exists(path)) return path;
  }
  throw new NotFoundError(
    `no deployment file: ${places.join(' and ')} ${places.length > 1 ? 'do' : 'does'} not exist`,
    {
      advice: 'Name it with --file or DOCKERCTL_FILE',
      facts: { places },
    },
  );
}

/**
 * For what can do without one. One that is there, or was named, and cannot be read is an error: it may say something.
 */
export async function deploymentIfAny(session: Session): Promise<Deployment | undefined> {
  return session.deployment().catch((error: unknown) => {
    if (!isDeploymentNamed(session) && error instanceof NotFoundError) return undefined;
    throw error;
  });
}

/** Whether one was asked for, be it there or not. */
export function isDeploymentNamed({ io, global }: Session): boolean {
  return Boolean(global.file ?? io.environment.DOCKERCTL_FILE);
}

/** What the deployment file says of backups. @throws {UsageError} when it says nothing */
export async function backupSettings(session: Session): Promise<BackupSettings> {
  const { file, backup } = await session.deployment();
  if (backup !== undefined) return backup;
  throw new UsageError(`${file}: it says nothing of backups (x-dockerctl: backup)`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Deployment } from '../../deployment/deployment.ts';
import { NotFoundError } from '../../support/errors.ts';
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

/** For what can do without one. One that is there, or was named, and cannot be read is an error: it may say something. */
export async function deploymentIfAny({ io, global, deployment }: Session): Promise<Deployment | undefined> {
  const isNamed = Boolean(global.file ?? io.environment.DOCKERCTL_FILE);
  return deployment().catch((error: unknown) => {
    if (!isNamed && error instanceof NotFoundError) return undefined;
    throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

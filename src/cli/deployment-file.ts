import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { NotFoundError } from '../support/errors.ts';
import type { Io } from './io.ts';

/** Where the deployment is described: `--file`, else `$DOCKERCTL_FILE`, else the first of the usual places that exists. */
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

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

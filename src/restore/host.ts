import type { Deployment } from '../deployment/deployment.ts';
import type { Engine } from '../engine/engine.ts';
import { UsageError } from '../support/errors.ts';
import { type RestoreRecord, restoreInWords } from './journal.ts';
import type { Services } from './services/services.ts';

/** The host that is restored to. */
export interface RestoreHost {
  engine: Engine;
  services: Services;
  /**
   * What its deployment file says: its name, of volumes, of what backups leave out, of commands that bring data back.
   */
  deployment: Pick<Deployment, 'name' | 'release' | 'volumes' | 'backup'>;
}

/**
 * Services go by their names: those of another deployment would be stopped and started in their place.
 * @throws {UsageError} when the restore of that record is of another one than is at hand
 */
export function expectDeployment(record: RestoreRecord, host: RestoreHost | undefined): void {
  const [its, here] = [record.deployment, host?.deployment.name];
  if (its === undefined || here === undefined || its === here) return;
  throw new UsageError(
    `restoring: ${restoreInWords(record)} is of the deployment ${its}, and the deployment file of ${here}`,
    { advice: 'Name its own with --file', facts: { restore: record.id, deployment: its } },
  );
}

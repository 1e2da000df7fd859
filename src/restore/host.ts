import type { Deployment } from '../deployment/deployment.ts';
import type { Engine } from '../engine/engine.ts';
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

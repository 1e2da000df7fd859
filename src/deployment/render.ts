import { stringify } from 'yaml';
import type { Deployment } from './deployment.ts';

/** A deployment as YAML, for people: what the file comes to. */
export function renderDeployment(deployment: Deployment): string {
  return stringify(deployment, { lineWidth: 0, keepUndefined: false, aliasDuplicateObjects: false });
}

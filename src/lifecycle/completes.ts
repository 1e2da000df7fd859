import type { Deployment, Service } from '../deployment/deployment.ts';

/**
 * Whether a service is done when its container has ended with status 0: storage, and what another service wants
 * completed before it starts. Everything else is meant to go on.
 */
export function completes({ services }: Deployment, { name, storage }: Service): boolean {
  if (storage) return true;
  return services.some(({ dependsOn }) => {
    return dependsOn.some(({ service, condition }) => service === name && condition === 'completed');
  });
}

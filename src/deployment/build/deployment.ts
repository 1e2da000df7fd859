import type { Deployment } from '../deployment.ts';
import type { WrittenFile } from '../schema/file.ts';
import { buildBackup } from './backup.ts';
import { type FileContext, hostPath } from './file-context.ts';
import { orderServices } from './order.ts';
import { buildNetworks, buildVolumes } from './resources.ts';
import { buildService } from './service.ts';

/**
 * Turns a file whose every key is known and of the right type into a deployment: names resolved, references checked,
 * services in order. Throws what `context.problem` makes.
 */
export async function buildDeployment(file: WrittenFile, context: FileContext): Promise<Deployment> {
  const written = file.services ?? {};
  const volumes = buildVolumes(file);
  const networks = buildNetworks(file);
  const services = [];
  for (const [name, service] of Object.entries(written)) {
    services.push(await buildService(name, service, { written, volumes, networks }, context));
  }
  const settings = file['x-dockerctl'];
  const parts = {
    services: orderServices(services, context),
    volumes,
    networks,
  };
  return {
    file: context.file,
    name: file.name,
    release: context.release,
    images: {
      archives: (settings?.images?.archives ?? []).map((pattern) => hostPath(pattern, context)),
      signers:
        settings?.images?.signers === undefined ? undefined : hostPath(settings.images.signers, context),
    },
    ...parts,
    backup: settings?.backup && buildBackup(settings.backup, parts, context),
  };
}

import type Docker from 'dockerode';
import type { Client } from './connection/client.ts';
import { ifThere } from './connection/errors.ts';
import type { VolumeDetails, Volumes } from './engine.ts';
import { labelFilter } from './labels.ts';
import { isName, notFound } from './names.ts';

/** The volumes of the engine behind a client. */
export function volumesOf(client: Client): Volumes {
  return {
    list: ({ labels } = {}) =>
      client.ask('listing volumes', async (docker) => {
        const { Volumes } = await docker.listVolumes({ filters: labelFilter(labels) });
        return (Volumes ?? []).map(details);
      }),
    inspect: (name) => client.ask(`inspecting the volume ${name}`, (docker) => inspect(docker, name)),
    create: (name, { driver = 'local', driverOptions = {}, labels = {} } = {}) =>
      client.ask(`creating the volume ${name}`, async (docker) =>
        details(
          await create(docker, { Name: name, Driver: driver, DriverOpts: driverOptions, Labels: labels }),
        ),
      ),
    remove: (name) =>
      client.ask(`removing the volume ${name}`, async (docker) => {
        if (!isName(name)) raise(name);
        await docker.getVolume(name).remove();
      }),
  };
}

/** The engine's own answer, for to ask again would be to ask what others made of it; dockerode's method forgets it. */
function create(docker: Docker, volume: Docker.VolumeCreateOptions): Promise<Docker.VolumeInspectInfo> {
  const request = { path: '/volumes/create', method: 'POST', statusCodes: { 200: true, 201: true } };
  return new Promise((resolve, reject) => {
    docker.modem.dial({ ...request, options: { _query: {}, _body: volume } }, (error, answer) =>
      error ? reject(error) : resolve(answer as Docker.VolumeInspectInfo),
    );
  });
}

async function inspect(docker: Docker, name: string): Promise<VolumeDetails | undefined> {
  const found = isName(name) ? await ifThere(docker.getVolume(name).inspect()) : undefined;
  return found && details(found);
}

function details(volume: Docker.VolumeInspectInfo): VolumeDetails {
  return {
    name: volume.Name,
    driver: volume.Driver,
    mountpoint: volume.Mountpoint,
    labels: volume.Labels ?? {},
  };
}

function raise(name: string): never {
  throw notFound('volume', name);
}

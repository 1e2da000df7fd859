import { within } from '../support/deadline.ts';
import { EngineUnreachableError, NotFoundError } from '../support/errors.ts';
import { silenceLimit } from '../support/watched.ts';
import { type Client, type ConnectOptions, createClient } from './connection/client.ts';
import { containersOf } from './containers/containers.ts';
import type { Engine, EngineInfo } from './engine.ts';
import { imagesOf } from './images/images.ts';
import { networksOf } from './networks.ts';
import { volumesOf } from './volumes.ts';

/**
 * The engine at `host`. Cheap: nothing is loaded or connected before the first request.
 * @throws UsageError when the address cannot be used.
 */
export function connectEngine(options: ConnectOptions = {}): Engine {
  const client = createClient(options);
  const { patience = 120, silence = silenceLimit / 1000 } = options;
  return {
    address: client.address,
    info: () => within(patience, info(client), () => silent(client, patience)),
    images: imagesOf(client, silence),
    containers: containersOf(client),
    volumes: volumesOf(client),
    networks: networksOf(client),
  };
}

/** Everything that takes long begins with this question: better to say so than to wait for ever. */
function silent({ address }: Client, seconds: number): EngineUnreachableError {
  return new EngineUnreachableError(`asking the engine at ${address}: no answer in ${seconds} seconds`, {
    advice: 'See whether docker info answers; an engine that hangs must be restarted',
    facts: { address },
  });
}

async function info(client: Client): Promise<EngineInfo> {
  const answer = client.ask('asking the engine about itself', async (docker) => {
    const [info, version] = await Promise.all([docker.info(), docker.version()]);
    if (typeof version?.Version !== 'string' || typeof info?.DockerRootDir !== 'string')
      throw noEngine(client);
    return {
      version: version.Version,
      os: version.Os,
      architecture: version.Arch,
      store: storeOf(info.DriverStatus),
      rootDir: info.DockerRootDir,
      local: client.local,
    };
  });
  return answer.catch((error: unknown) => {
    throw error instanceof NotFoundError ? noEngine(client, error) : error;
  });
}

/** Some other server, or a proxy, listens there. */
function noEngine({ address }: Client, cause?: unknown): EngineUnreachableError {
  return new EngineUnreachableError(
    `asking the engine at ${address} about itself: what answers there is no engine`,
    {
      advice: 'Name the engine with --host or DOCKER_HOST',
      facts: { address },
      cause,
    },
  );
}

/** The containerd store says so among the rows that describe its driver. */
function storeOf(driverStatus: [string, string][] | null | undefined): EngineInfo['store'] {
  const isContainerd = driverStatus?.some(
    ([key, value]) => key === 'driver-type' && value.startsWith('io.containerd.snapshotter'),
  );
  return isContainerd ? 'containerd' : 'classic';
}

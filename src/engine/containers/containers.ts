import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { ContainerSpec } from '../../support/container-spec.ts';
import { type Client, streamAnswer } from '../connection/client.ts';
import { ifThere, interruption, statusOf } from '../connection/errors.ts';
import { upload } from '../connection/upload.ts';
import type { ContainerDetails, Containers, LogOptions, OutputStreams } from '../engine.ts';
import { labelFilter } from '../labels.ts';
import { exactKey, notFound } from '../names.ts';
import { endpoint, existingNetwork } from '../networks.ts';
import { containerBody } from './body.ts';
import { containerDetails, containerSummary } from './details.ts';
import { execute } from './exec.ts';
import { outputOf } from './output.ts';

/** The containers of the engine behind a client. */
export function containersOf(client: Client): Containers {
  /** Asks for something to be done to one container, which must exist. */
  function on<T>(
    doing: string,
    name: string,
    act: (container: Docker.Container, docker: Docker) => Promise<T>,
  ) {
    return client.ask(`${doing} ${name}`, async (docker) => act(await containerNamed(docker, name), docker));
  }
  return {
    list: ({ labels } = {}) =>
      client.ask('listing containers', async (docker) => {
        const containers = await docker.listContainers({ all: true, filters: labelFilter(labels) });
        return containers.map(containerSummary);
      }),
    inspect: (name) => client.ask(`inspecting ${name}`, (docker) => inspect(docker, name)),
    create: (spec) => client.ask(`creating ${spec.name}`, (docker) => create(docker, spec)),
    start: (name) => on('starting', name, (container) => unlessDone(container.start())),
    stop: (name, { timeout } = {}) =>
      on('stopping', name, (container) =>
        unlessDone(container.stop(timeout === undefined ? {} : { t: timeout })),
      ),
    kill: (name, signal = 'SIGKILL') => on('killing', name, (container) => container.kill({ signal })),
    remove: (name, { force = false, volumes = false } = {}) =>
      on('removing', name, (container) => container.remove({ force, v: volumes })),
    rename: (name, newName) =>
      on(`renaming to ${newName}`, name, (container) => container.rename({ _query: { name: newName } })),
    update: (name, { restart }) =>
      on('updating', name, (container) =>
        container.update({
          RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetries ?? 0 },
        }),
      ),
    wait: (name, { signal } = {}) => on('waiting for', name, (container) => wait(container, name, signal)),
    logs: (name, options) =>
      on('reading the logs of', name, (container, docker) => logs(docker, container, options)),
    attach: (name, { stdin } = {}) => on('attaching to', name, (container) => attach(container, stdin)),
    exec: (name, spec) =>
      on(`running ${spec.command[0]} in`, name, (container) => execute(client, container, name, spec)),
    readArchive: (name, path) =>
      on(`reading ${path} in`, name, async (container) => (await container.getArchive({ path })) as Readable),
    writeArchive: (name, path, tar) =>
      upload(`writing to ${path} in ${name}`, tar, undefined, (abortSignal) =>
        on(`writing to ${path} in`, name, async (container) => {
          await container.putArchive(tar, { path, noOverwriteDirNonDir: true, abortSignal });
        }),
      ),
  };
}

async function containerNamed(docker: Docker, name: string): Promise<Docker.Container> {
  const key = await keyOf(docker, name);
  if (key === undefined) throw notFound('container', name);
  return docker.getContainer(key);
}

async function inspect(docker: Docker, name: string): Promise<ContainerDetails | undefined> {
  const key = await keyOf(docker, name);
  const found = key === undefined ? undefined : await ifThere(docker.getContainer(key).inspect());
  return found && containerDetails(found);
}

function keyOf(docker: Docker, name: string): Promise<string | undefined> {
  return exactKey(name, async () => {
    const similar = await docker.listContainers({ all: true, filters: { name: [name] } });
    return similar.find(({ Names: names }) => names.includes(`/${name}`))?.Id;
  });
}

/**
 * An engine before 25 connects a new container to one network only; the rest follow before it ever starts. That they
 * exist is checked first, for the engine would say so no sooner than at the start.
 */
async function create(docker: Docker, spec: ContainerSpec): Promise<string> {
  const [, ...further] = await Promise.all(
    (spec.networks ?? []).map(async (use) => ({ ...use, network: await existingNetwork(docker, use.name) })),
  );
  // Without the explicit pair dockerode would write the whole body, secrets included, into the address too.
  const request = { _query: { name: spec.name }, _body: containerBody(spec) };
  const container = await docker.createContainer(request as unknown as Docker.ContainerCreateOptions);
  try {
    for (const { network, aliases, address } of further) {
      await network.connect({ Container: container.id, EndpointConfig: endpoint(aliases, address) });
    }
  } catch (error) {
    await container.remove({ force: true, v: true });
    throw error;
  }
  return container.id;
}

/** 304: it is already as asked. */
async function unlessDone(request: Promise<unknown>): Promise<void> {
  await request.catch((error) => {
    if (statusOf(error) !== 304) throw error;
  });
}

async function wait(container: Docker.Container, name: string, signal?: AbortSignal): Promise<number> {
  try {
    const { StatusCode } = await container.wait(signal && { abortSignal: signal });
    return StatusCode;
  } catch (error) {
    if (signal?.aborted) throw interruption(`waiting for ${name}`, signal);
    throw error;
  }
}

async function logs(
  docker: Docker,
  container: Docker.Container,
  options: LogOptions = {},
): Promise<OutputStreams> {
  const { Id, Config } = await container.inspect();
  const answer = await streamAnswer(docker, `/containers/${Id}/logs`, {
    stdout: true,
    stderr: true,
    follow: options.follow ?? false,
    timestamps: options.timestamps ?? false,
    tail: options.tail ?? 'all',
    ...(options.since && { since: options.since.getTime() / 1000 }),
  });
  return outputOf(answer, Config.Tty);
}

async function attach(container: Docker.Container, stdin: Readable | undefined): Promise<OutputStreams> {
  const { Config } = await container.inspect();
  const connection = await container.attach({
    stream: true,
    stdout: true,
    stderr: true,
    stdin: stdin !== undefined,
    hijack: true,
  });
  if (stdin !== undefined) {
    stdin.pipe(connection);
    connection.once('close', () => stdin.unpipe(connection));
  }
  return outputOf(connection as unknown as Readable, Config.Tty);
}

import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { type Client, streamAnswer } from '../connection/client.ts';
import { upload } from '../connection/upload.ts';
import type { Containers, LogOptions, OutputStreams } from '../engine.ts';
import { execute } from './exec.ts';
import type { OnContainer } from './on-container.ts';
import { outputOf } from './output.ts';

type Streams = Pick<Containers, 'logs' | 'attach' | 'exec' | 'readArchive' | 'writeArchive'>;

/** What goes into a container and what comes out of it. */
export function streamsOf(client: Client, on: OnContainer): Streams {
  return {
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

import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type Docker from 'dockerode';
import { FailedError } from '../../support/errors.ts';
import type { Client } from '../connection/client.ts';
import type { ExecSpec, Execution } from '../engine.ts';
import { outputOf } from './output.ts';

/** Starts a command in a running container over one hijacked connection. */
export async function execute(
  client: Client,
  container: Docker.Container,
  name: string,
  spec: ExecSpec,
): Promise<Execution> {
  const { tty = false, stdin = false } = spec;
  const exec = await container.exec(creation(spec));
  const connection: Duplex = await exec.start({ hijack: true, stdin, Tty: tty });
  const closed = new AbortController();
  const output = outputOf(connection, tty);
  const exitCode = client.ask(`waiting for ${spec.command[0]} in ${name}`, () =>
    exitCodeAfter(connection, exec, closed.signal),
  );
  exitCode.catch(() => {}); // Whoever wants it awaits it; a command that nobody waits for may fail.
  return {
    ...output,
    stdin: stdin ? connection : undefined,
    resize: (columns, rows) =>
      client.ask(`resizing the terminal of ${spec.command[0]} in ${name}`, () =>
        exec.resize({ w: columns, h: rows }),
      ),
    exitCode,
    close() {
      closed.abort();
      output.close();
    },
  };
}

function creation(spec: ExecSpec): Docker.ExecCreateOptions {
  return {
    Cmd: [...spec.command],
    AttachStdin: spec.stdin ?? false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: spec.tty ?? false,
    ...(spec.environment && {
      Env: Object.entries(spec.environment).map(([key, value]) => `${key}=${value}`),
    }),
    ...(spec.user !== undefined && { User: spec.user }),
    ...(spec.workingDir !== undefined && { WorkingDir: spec.workingDir }),
  };
}

/** The output ends a moment before the engine has written the exit status down. */
async function exitCodeAfter(connection: Duplex, exec: Docker.Exec, closed: AbortSignal): Promise<number> {
  await finished(connection, { writable: false }).catch(() => {});
  for (let pause = 5; !closed.aborted; pause = Math.min(2 * pause, 500)) {
    const { Running: running, ExitCode: code } = await exec.inspect();
    if (!running && code !== null) return code;
    await setTimeout(pause);
  }
  throw new FailedError('the connection was closed before the command ended');
}

import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { Socket } from 'node:net';
import type { ReadyCheck } from '../../deployment/deployment.ts';
import { runInContainer } from '../../engine/containers/run-in-container.ts';
import type { Engine } from '../../engine/engine.ts';
import { messageOf } from '../../support/errors.ts';
import { describeFailure } from '../../support/run-command.ts';

/** `undefined` when the check passed, else what it answered, in a line. */
export type Answer = string | undefined;

export interface CheckOptions {
  /** Seconds one check may take. */
  attempt: number;
  signal: AbortSignal;
}

/** Tries one check once: `run` in the container, `tcp` and `http` from here. Throws only when `signal` aborts. */
export async function tryCheck(
  check: ReadyCheck,
  container: string,
  engine: Pick<Engine, 'containers'>,
  { attempt, signal }: CheckOptions,
): Promise<Answer> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(attempt * 1000)]);
  try {
    switch (check.kind) {
      case 'run':
        return await tryRun(check.command, container, engine, { timeout: attempt, signal });
      case 'tcp':
        return await tryTcp(check.host, check.port, limited);
      case 'http':
        return await tryHttp(check.url, check.status, limited);
    }
  } catch (error) {
    signal.throwIfAborted();
    return limited.aborted ? `no answer within ${attempt} s` : messageOf(error);
  }
}

/** A check in an operator's words. */
export function describeCheck(check: ReadyCheck): string {
  switch (check.kind) {
    case 'run':
      return check.command.join(' ');
    case 'tcp':
      return `tcp ${check.host}:${check.port}`;
    case 'http':
      return `GET ${check.url}`;
  }
}

async function tryRun(
  command: readonly string[],
  container: string,
  engine: Pick<Engine, 'containers'>,
  options: { timeout: number; signal: AbortSignal },
): Promise<Answer> {
  const result = await runInContainer(engine, container, command, options);
  return result.status === 0 ? undefined : describeFailure(result);
}

function tryTcp(host: string, port: number, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ signal });
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', reject);
    socket.connect(port, host);
  });
}

function tryHttp(
  url: string,
  { from, to }: { from: number; to: number },
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const secure = url.startsWith('https:');
    // Whether it answers is the question, not who it is: a service may well have made its own certificate.
    const options = { signal, agent: false, ...(secure && { rejectUnauthorized: false }) };
    const request = (secure ? httpsGet : httpGet)(url, options, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= from && status <= to ? undefined : `status ${status}`);
    });
    request.on('error', reject);
  });
}

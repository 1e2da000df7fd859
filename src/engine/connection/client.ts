import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { codeOf, messageOf, UsageError } from '../../support/errors.ts';
import { type Address, parseAddress } from './address.ts';
import { explainFailure } from './errors.ts';

export interface ConnectOptions {
  /** `unix://`, `tcp://` or `ssh://`; the default socket when left out. */
  host?: string | undefined;
  /** `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` are read as the docker client reads them. */
  environment?: Record<string, string | undefined>;
  /** Seconds that the engine may take to say who it is; 120 unless told. */
  patience?: number;
  /** Seconds without a byte of images that it saves, after which it counts as hung; a quarter of an hour unless told. */
  silence?: number;
}

/** One engine that may be asked. Nothing is loaded or connected before the first request. */
export interface Client {
  readonly address: string;
  readonly local: boolean;
  /** Runs `request`; whatever it throws is explained by `doing`, which names what is being done to what. */
  ask<T>(doing: string, request: (docker: Docker) => Promise<T>): Promise<T>;
}

/** @throws UsageError when the address cannot be used. */
export function createClient({ host, environment = {} }: ConnectOptions): Client {
  const secure = Boolean(environment.DOCKER_TLS_VERIFY);
  const address = parseAddress(host, secure);
  const name = nameOf(address);
  let docker: Promise<Docker> | undefined;
  return {
    address: name,
    local: address.kind === 'unix',
    async ask(doing, request) {
      docker ??= openDocker(address, secure ? certificateDirectory(environment) : undefined);
      try {
        return await request(await docker);
      } catch (error) {
        throw explainFailure(doing, name, error);
      }
    },
  };
}

/** What dockerode's own methods would buffer or do not know: the answer to a GET as a stream. */
export function streamAnswer(
  docker: Docker,
  path: string,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Readable> {
  const request = { path: `${path}?`, method: 'GET', isStream: true, statusCodes: { 200: true }, options };
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      { ...request, ...(signal && { abortSignal: signal }) },
      (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer as Readable)),
    );
  });
}

async function openDocker(address: Address, certificates: string | undefined): Promise<Docker> {
  const options = await connectionOptions(address, certificates);
  const { default: Dockerode } = await import('dockerode');
  return new Dockerode(options);
}

/** Every key that dockerode would otherwise take from DOCKER_HOST and its like is set, if only to `undefined`. */
async function connectionOptions(address: Address, certificates: string | undefined) {
  const nothing = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
  const plain = { ...nothing, protocol: 'http', pathPrefix: '/', timeout: undefined };
  switch (address.kind) {
    case 'unix':
      return { ...plain, socketPath: address.path } as Docker.DockerOptions;
    case 'tcp': {
      const tls = certificates === undefined ? {} : await readCertificates(certificates);
      return { ...plain, host: address.host, port: address.port, ...tls } as Docker.DockerOptions;
    }
    case 'ssh': {
      const { SshAgent } = await import('./ssh.ts');
      return { ...plain, host: 'engine', port: 80, agent: new SshAgent(address) } as Docker.DockerOptions;
    }
  }
}

function certificateDirectory(environment: Record<string, string | undefined>): string {
  return environment.DOCKER_CERT_PATH || join(environment.HOME || homedir(), '.docker');
}

async function readCertificates(directory: string) {
  try {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(directory, name))),
    );
    return { protocol: 'https', ca, cert, key };
  } catch (error) {
    throw new UsageError(`cannot read the engine's certificates in ${directory}: ${messageOf(error)}`, {
      advice: 'DOCKER_CERT_PATH names the directory of ca.pem, cert.pem and key.pem',
      facts: { directory, code: codeOf(error) },
      cause: error,
    });
  }
}

function nameOf(address: Address): string {
  switch (address.kind) {
    case 'unix':
      return `unix://${address.path}`;
    case 'tcp':
      return `tcp://${address.host}:${address.port}`;
    case 'ssh':
      return `ssh://${address.host}`;
  }
}

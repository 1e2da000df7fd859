import type { Readable, Writable } from 'node:stream';
import type { ContainerSpec, RestartPolicy } from '../support/container-spec.ts';

/**
 * The Docker Engine as the rest of dockerctl sees it. Small on purpose: what is not here, we do not need.
 * Every method throws `EngineUnreachableError` when the engine does not answer, `NotFoundError` when the thing named
 * does not exist (unless it returns `undefined` for that), `NoSpaceError` when its disk is full, and `FailedError` with
 * the engine's own words otherwise. A name is always a whole name (or a whole id): the beginning of one names nothing.
 */
export interface Engine {
  /** Where it listens, for messages: `unix:///var/run/docker.sock`. */
  readonly address: string;
  info(): Promise<EngineInfo>;
  readonly images: Images;
  readonly containers: Containers;
  readonly volumes: Volumes;
  readonly networks: Networks;
}

export interface EngineInfo {
  version: string;
  apiVersion: string;
  os: string;
  /** In Go's words: `amd64`, `arm64`. */
  architecture: string;
  /** `classic`: graph drivers such as overlay2. `containerd`: the containerd image store, whose ids differ. */
  store: 'classic' | 'containerd';
  /** The engine's data root on its own host. */
  rootDir: string;
  /** Whether the engine's files are on this host too (a local unix socket). */
  local: boolean;
}

export interface Images {
  list(): Promise<ImageSummary[]>;
  inspect(reference: string): Promise<ImageDetails | undefined>;
  /**
   * Streams an image archive in. Resolves with the references or ids the engine says it loaded; throws
   * `FailedError` for errors inside the 200 stream. Callers check afterwards by diff ids. When the archive fails or
   * `signal` aborts, the connection breaks before the archive's end: the engine keeps nothing unless it had all it
   * needs. Then the archive's own error is thrown, or the signal's reason if it is a `DockerctlError`, or
   * `InterruptedError`.
   */
  load(archive: Readable, options?: { signal?: AbortSignal }): Promise<LoadedImages>;
  /** Streams an image archive out, in memory that is used again: a piece is good until the next one is asked for. */
  save(references: readonly string[], options?: { signal?: AbortSignal }): Promise<AsyncIterable<Uint8Array>>;
  tag(image: string, reference: string): Promise<void>;
  remove(image: string, options?: { force?: boolean; keepParents?: boolean }): Promise<void>;
}

export interface ImageSummary {
  /** The engine's own id: config digest on the classic store, manifest digest on the containerd store. */
  id: string;
  tags: string[];
  repoDigests: string[];
  /** Bytes. */
  size: number;
  created: Date;
}

export interface ImageDetails extends ImageSummary {
  os: string;
  architecture: string;
  /** Of the uncompressed layers, lowest first. */
  diffIds: string[];
  labels: Record<string, string>;
  /** What a container of it runs unless told otherwise. */
  entrypoint: string[];
  command: string[];
  /** The user the image runs as, `''` when it does not say. */
  user: string;
}

export interface LoadedImages {
  references: string[];
  ids: string[];
}

export interface Containers {
  /** All states. With `labels`, only those that carry every one of them. */
  list(options?: { labels?: Record<string, string> }): Promise<ContainerSummary[]>;
  inspect(container: string): Promise<ContainerDetails | undefined>;
  /** Returns the new container's id. */
  create(spec: ContainerSpec): Promise<string>;
  /** No-op when it runs. */
  start(container: string): Promise<void>;
  /** No-op when it does not run. `timeout` in seconds before the kill. */
  stop(container: string, options?: { timeout?: number }): Promise<void>;
  kill(container: string, signal?: string): Promise<void>;
  /** `volumes`: its anonymous ones go with it. */
  remove(container: string, options?: { force?: boolean; volumes?: boolean }): Promise<void>;
  rename(container: string, name: string): Promise<void>;
  update(container: string, options: { restart: RestartPolicy }): Promise<void>;
  /** Resolves with the exit status once it has exited. */
  wait(container: string, options?: { signal?: AbortSignal }): Promise<number>;
  logs(container: string, options?: LogOptions): Promise<OutputStreams>;
  /** Follows output from now on; `stdin` is forwarded when the container has one open. */
  attach(container: string, options?: { stdin?: Readable }): Promise<OutputStreams>;
  exec(container: string, spec: ExecSpec): Promise<Execution>;
  /** A tar of `path` inside the container. */
  readArchive(container: string, path: string): Promise<Readable>;
  /** Unpacks a tar into the directory `path` inside the container. */
  writeArchive(container: string, path: string, tar: Readable): Promise<void>;
}

export interface ContainerSummary {
  id: string;
  /** Without the leading slash. */
  name: string;
  image: string;
  imageId: string;
  state: ContainerState;
  labels: Record<string, string>;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerDetails extends ContainerSummary {
  exitCode: number;
  /** Of its main process on the engine's host; 0 when it does not run. */
  pid: number;
  startedAt: Date | undefined;
  tty: boolean;
  networkMode: string;
  /** Address on each network it is connected to. */
  addresses: Record<string, string>;
  mounts: { type: string; name?: string; source: string; target: string; readOnly: boolean }[];
  /** The engine's whole answer, for `inspect`. */
  raw: unknown;
}

export interface LogOptions {
  follow?: boolean;
  /** So many last lines; all of them when left out. */
  tail?: number;
  since?: Date;
  timestamps?: boolean;
}

/** Both end when the container's output ends. With a tty everything is on `stdout`. */
export interface OutputStreams {
  stdout: Readable;
  stderr: Readable;
  /** Stops following. */
  close(): void;
}

export interface ExecSpec {
  command: readonly string[];
  environment?: Record<string, string>;
  user?: string;
  workingDir?: string;
  tty?: boolean;
  /** Open a stdin, which `Execution.stdin` then is. */
  stdin?: boolean;
}

export interface Execution extends OutputStreams {
  stdin: Writable | undefined;
  resize(columns: number, rows: number): Promise<void>;
  /** Resolves when the command has exited; read both streams meanwhile. */
  exitCode: Promise<number>;
}

export interface Volumes {
  list(options?: { labels?: Record<string, string> }): Promise<VolumeDetails[]>;
  inspect(name: string): Promise<VolumeDetails | undefined>;
  create(name: string, options?: VolumeOptions): Promise<VolumeDetails>;
  remove(name: string): Promise<void>;
}

export interface VolumeOptions {
  driver?: string;
  driverOptions?: Record<string, string>;
  labels?: Record<string, string>;
}

export interface VolumeDetails {
  name: string;
  driver: string;
  /** On the engine's host. */
  mountpoint: string;
  labels: Record<string, string>;
}

export interface Networks {
  list(options?: { labels?: Record<string, string> }): Promise<NetworkDetails[]>;
  inspect(name: string): Promise<NetworkDetails | undefined>;
  create(name: string, options?: NetworkOptions): Promise<string>;
  remove(name: string): Promise<void>;
  connect(
    network: string,
    container: string,
    options?: { aliases?: string[]; address?: string },
  ): Promise<void>;
  disconnect(network: string, container: string): Promise<void>;
}

export interface NetworkOptions {
  driver?: string;
  internal?: boolean;
  labels?: Record<string, string>;
  subnets?: { subnet: string; gateway?: string }[];
}

export interface NetworkDetails {
  id: string;
  name: string;
  driver: string;
  internal: boolean;
  labels: Record<string, string>;
}

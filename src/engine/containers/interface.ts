import type { Readable, Writable } from 'node:stream';
import type { ContainerSpec, RestartPolicy } from '../../support/container-spec.ts';

/** Throws as `Engine` says. */
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

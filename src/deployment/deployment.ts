import type { ContainerSpec } from '../support/container-spec.ts';

/** A checked deployment file: what should run on this host. Everything is resolved; nothing needs the file again. */
export interface Deployment {
  /** Absolute path of the file it came from. */
  file: string;
  /** Compose project name; containers are `<name>-<release>-<service>`. */
  name: string;
  release: string | undefined;
  images: ImageSettings;
  /** Storage services first, then in dependency order; ties in the file's order. */
  services: Service[];
  volumes: Volume[];
  networks: Network[];
  backup: BackupSettings | undefined;
}

export interface ImageSettings {
  /** Glob patterns, absolute: where `build` finds images it lacks. */
  archives: string[];
  /** Absolute path of an allowed-signers file. */
  signers: string | undefined;
}

export interface Service {
  name: string;
  image: string;
  /** Created once, exits, shared by `volumes_from`. */
  storage: boolean;
  dependsOn: { service: string; condition: 'started' | 'ready' | 'completed' }[];
  /** Everything the engine needs but name and labels. `volumesFrom` and `container:` modes name services here. */
  container: Omit<ContainerSpec, 'name' | 'labels' | 'image'>;
  ready: ReadyCheck[];
  /** How long to try them: seconds between tries and in all. */
  readyRetry: { interval: number; timeout: number };
  hooks: Partial<Record<HookPoint, Hook[]>>;
}

export type ReadyCheck =
  | { kind: 'run'; command: string[] }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'http'; url: string; status: { from: number; to: number } };

export type HookPoint = 'pre-start' | 'post-start' | 'pre-stop' | 'post-stop';

/** A command on the host, or inside the service's container. */
export type Hook = { where: 'host' | 'container'; command: string[] };

export interface Volume {
  /** As services name it. */
  key: string;
  /** As the engine names it. */
  name: string;
  /** Made by somebody else: never created, never removed. */
  external: boolean;
  driver: string | undefined;
  driverOptions: Record<string, string>;
  labels: Record<string, string>;
}

export interface Network {
  key: string;
  name: string;
  external: boolean;
  driver: string | undefined;
  internal: boolean;
  subnets: { subnet: string; gateway?: string }[];
  labels: Record<string, string>;
}

export interface BackupSettings {
  /** Absolute path. */
  repository: string;
  /** Bytes that must stay free where the repository lives. */
  minFree: number;
  refuseWhile: BusyCheck[];
  sources: Source[];
}

export interface BusyCheck {
  name: string;
  service: string;
  command: string[];
  /** A regular expression; the system is busy when the output matches. */
  matches: string;
}

/** One thing that is backed up. */
export type Source = {
  name: string;
  title: string;
  /** Left out unless `--full`. */
  full: boolean;
} & (
  | { kind: 'paths'; paths: string[] }
  | { kind: 'volume'; volume: string }
  | { kind: 'dump'; service: string; engine: 'postgres' }
);

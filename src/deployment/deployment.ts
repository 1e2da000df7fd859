import type { ContainerSpec } from '../support/container-spec.ts';
import type { BackupSettings } from './backup-settings.ts';

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
  /** What must be there before it: written in `depends_on`, or following from shared volumes and namespaces. */
  dependsOn: Dependency[];
  /**
   * Everything the engine needs but name and labels. Where it means another service of this deployment it says
   * `service:NAME`: in `networkMode`, `pidMode`, `ipcMode` and `volumesFrom`.
   */
  container: Omit<ContainerSpec, 'name' | 'labels' | 'image'>;
  /** The operator's own. */
  labels: Record<string, string>;
  ready: ReadyCheck[];
  readyRetry: ReadyRetry;
  hooks: Partial<Record<HookPoint, Hook[]>>;
}

export interface Dependency {
  service: string;
  condition: 'started' | 'ready' | 'completed';
}

/** How long to try the readiness checks, in seconds. */
export interface ReadyRetry {
  /** Between two tries. */
  interval: number;
  /** Of one try. */
  attempt: number;
  /** In all. */
  timeout: number;
}

export type ReadyCheck =
  | { kind: 'run'; command: string[] }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'http'; url: string; status: { from: number; to: number } };

export const hookPoints = ['pre-start', 'post-start', 'pre-stop', 'post-stop'] as const;
export type HookPoint = (typeof hookPoints)[number];

/** A command on the host, or inside the service's container; an argument vector, never a shell's line. */
export interface Hook {
  where: 'host' | 'container';
  command: string[];
}

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

export type { BackupSettings, BusyCheck, Source } from './backup-settings.ts';

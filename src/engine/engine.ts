import type { Containers } from './containers/interface.ts';
import type { Images } from './images/interface.ts';

export type {
  ContainerDetails,
  ContainerState,
  ContainerSummary,
  Containers,
  ExecSpec,
  Execution,
  LogOptions,
  OutputStreams,
} from './containers/interface.ts';
export type { ImageDetails, ImageSummary, Images, LoadedImages } from './images/interface.ts';

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

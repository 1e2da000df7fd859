/** What a container is made from, in the words of the Engine API. The vocabulary that deployment and engine share. */
export interface ContainerSpec {
  name: string;
  image: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  labels?: Record<string, string>;
  user?: string;
  workingDir?: string;
  hostname?: string;
  domainname?: string;
  tty?: boolean;
  openStdin?: boolean;
  /** Close its stdin when the first one who attached has sent everything; else only an end of the container does. */
  stdinOnce?: boolean;
  stopSignal?: string;
  /** Seconds. */
  stopTimeout?: number;
  /** `host`, `none`, `bridge`, `container:ID` or a network's name. */
  networkMode?: string;
  networks?: { name: string; aliases?: string[]; address?: string }[];
  ports?: PortBinding[];
  mounts?: MountSpec[];
  tmpfs?: { target: string; options?: string }[];
  /** Container names or ids whose volumes it shares, each optionally with `:ro`. */
  volumesFrom?: string[];
  privileged?: boolean;
  capAdd?: string[];
  capDrop?: string[];
  devices?: { host: string; container: string; permissions: string }[];
  extraHosts?: string[];
  dns?: string[];
  dnsSearch?: string[];
  readOnly?: boolean;
  init?: boolean;
  pidMode?: string;
  ipcMode?: string;
  securityOpt?: string[];
  sysctls?: Record<string, string>;
  ulimits?: { name: string; soft: number; hard: number }[];
  /** Bytes. */
  shmSize?: number;
  /** Bytes. */
  memory?: number;
  cpus?: number;
  restart?: RestartPolicy;
  logging?: { driver: string; options?: Record<string, string> };
}

export interface RestartPolicy {
  name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  maximumRetries?: number;
}

export interface PortBinding {
  container: number;
  protocol: 'tcp' | 'udp';
  host?: number;
  hostAddress?: string;
}

export interface MountSpec {
  type: 'bind' | 'volume';
  /** Host path or volume name; empty for an anonymous volume. */
  source: string;
  target: string;
  readOnly?: boolean;
  /** Create a missing host path, as the short syntax does. */
  createHostPath?: boolean;
}

/** What the deployment file says about backups, checked and resolved. Paths are absolute. */
export interface BackupSettings {
  repository: string;
  /** age recipients; none: the repository is not encrypted. */
  recipients: string[];
  /** File of the SSH key that signs snapshots; `undefined`: the host's own. `false`: they are not signed. */
  signingKey: string | false | undefined;
  /** An allowed-signers file: only what they signed is taken in and restored. */
  signers: string | undefined;
  /** Bytes that must stay free where the repository lives. */
  minFree: number;
  /** Which snapshots `backup prune` keeps; `undefined`: all of them. */
  keep: KeepRules | undefined;
  refuseWhile: BusyCheck[];
  /** No two of them hold the same data. */
  sources: Source[];
  inventories: Inventory[];
  /** A file for Prometheus' node exporter, written after every run. */
  metrics: string | undefined;
  /** Commands on the host that are given the run's summary on stdin. */
  hooks: { onSuccess: string[][]; onFailure: string[][] };
}

/** A stretch of the calendar: months and years are as long as they are there, days also where summer time begins. */
export interface CalendarSpan {
  years: number;
  months: number;
  days: number;
  hours: number;
}

/** Counts of snapshots to keep, per rule as in restic; a snapshot that any rule keeps is kept. */
export interface KeepRules {
  last?: number;
  hourly?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
  yearly?: number;
  /** Everything that is less than so much older than the newest. */
  within?: CalendarSpan;
  /** Everything that carries one of these tags; of `a,b` both. */
  tags?: string[];
}

/** A question put to a service, or to the host: a backup is refused while the answer is yes. */
export interface BusyCheck {
  name: string;
  /** Where `command` runs; `undefined`: on the host. */
  service: string | undefined;
  command: string[];
  /** A regular expression; the system is busy when the output matches. */
  matches: string;
  /** Seconds it may take to answer. */
  timeout: number;
}

/** One thing that is backed up. */
export type Source = {
  name: string;
  title: string;
  /** Left out unless `--full`. */
  full: boolean;
} & (PathsSource | VolumeSource | DumpSource | CommandSource | ImagesSource);

export interface PathsSource {
  kind: 'paths';
  paths: string[];
  filter: FileFilter;
}

export interface VolumeSource {
  kind: 'volume';
  /** The key of one of the deployment's volumes. */
  volume: string;
  filter: FileFilter;
}

export interface FileFilter {
  /** Patterns in gitignore's syntax; no `include` means everything. */
  include: string[];
  exclude: string[];
  oneFileSystem: boolean;
  /** Leave out directories that carry a CACHEDIR.TAG. */
  excludeCaches: boolean;
}

export type DumpSource = ServerSource | SqliteSource;

export interface ServerSource {
  kind: 'dump';
  engine: Exclude<DatabaseEngine, 'sqlite'>;
  service: string;
  /** The account the dump program uses inside the container; its own default when left out. */
  user: string | undefined;
  /** Only these databases; all of them when empty. */
  databases: string[];
  /** Seconds it may take. */
  timeout: number | undefined;
}

export interface SqliteSource {
  kind: 'dump';
  engine: 'sqlite';
  /** In whose container the files are; `undefined`: on the host. */
  service: string | undefined;
  /** Absolute paths. */
  files: string[];
  /** Seconds it may take. */
  timeout: number | undefined;
}

export const databaseEngines = ['postgres', 'mysql', 'mariadb', 'mongodb', 'redis', 'sqlite'] as const;
export type DatabaseEngine = (typeof databaseEngines)[number];

/** Whatever `run` prints is saved; `restore` is given it on stdin. */
export interface CommandSource {
  kind: 'run';
  /** Where both run; `undefined`: on the host. */
  service: string | undefined;
  run: string[];
  restore: string[];
  /** Seconds either may take. */
  timeout: number | undefined;
}

/** The images that the deployment's services run. */
export interface ImagesSource {
  kind: 'images';
}

/** A list taken with every backup and compared after a restore; a JSON array of objects. */
export interface Inventory {
  name: string;
  /** Where `command` runs; `undefined`: on the host. */
  service: string | undefined;
  command: string[];
  /** The field that identifies an item, and the one that names it to people. */
  key: string;
  label: string;
  /** What to do about items that are there now but were not in the backup. */
  advice: string;
}

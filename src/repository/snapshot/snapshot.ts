/** What a snapshot's config tells, in the clear. */
export interface Snapshot {
  /** Digest of its config: `sha256:…`. */
  id: string;
  started: Date;
  ended: Date;
  host: string;
  deployment: string;
  release: string | undefined;
  complete: boolean;
  /** What it was told of itself is lost, and this was found out again by `backup repair`. */
  rebuilt?: true;
  /**
   * Something that it needs is missing here, or was found damaged by the last check on this host. Its config does not
   * say so.
   */
  damaged?: true;
  /** Id of the snapshot whose trees this run compared itself with. */
  predecessor: string | undefined;
  /** The operator's words for it; retention rules may name them. */
  tags: string[];
  /** age recipients who can open its content; nobody: it is not sealed. */
  recipients: string[];
  sources: SourceSummary[];
  /** Bytes that this run added to the repository, and how many blobs. */
  added: { bytes: number; blobs: number };
}

/** Whether a snapshot is all that it was to be, as far as is known. */
export function isWhole({ complete, damaged }: Pick<Snapshot, 'complete' | 'damaged'>): boolean {
  return complete && damaged !== true;
}

/** What a snapshot tells of one of its sources. */
export interface SourceSummary {
  name: string;
  title: string;
  kind: SourceKind;
  started: Date;
  ended: Date;
  complete: boolean;
  files: number;
  /** Of regular files, holes not counted. */
  bytes: number;
  /** Of content that was not in the repository before. */
  newBytes: number;
  /** What went wrong or was noteworthy, bounded in number; the rest is counted in the last line. */
  warnings: string[];
  /**
   * What restore needs to know of it and the deployment file may no longer say: paths, volume, database engine,
   * service.
   */
  origin: Record<string, string | string[]>;
}

/**
 * `deployment` is in every snapshot under that name: the deployment file
 * (`deployment.yaml`) and `inventories/<name>.json`.
 */
export type SourceKind = 'paths' | 'volume' | 'dump' | 'run' | 'images' | 'deployment';

import type { Readable } from 'node:stream';

/** Throws as `Engine` says. */
export interface Images {
  list(): Promise<ImageSummary[]>;
  inspect(reference: string): Promise<ImageDetails | undefined>;
  /**
   * Streams an image archive in. Resolves with the references or ids the engine says it loaded; throws
   * `FailedError` for errors inside the 200 stream (with the fact `vanished` where others removed it meanwhile). Callers check afterwards by diff ids. When the archive fails or
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

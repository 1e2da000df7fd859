/** Of the blobs of a snapshot; `docs/backup-format.md` tells what each holds. */
export const backupTypes = {
  snapshot: 'application/vnd.dockerctl.snapshot.v1',
  config: 'application/vnd.dockerctl.snapshot.v1+json',
  pack: 'application/vnd.dockerctl.pack.v1.tar+zstd',
  index: 'application/vnd.dockerctl.index.v1.jsonl+zstd',
  tree: 'application/vnd.dockerctl.tree.v1.jsonl+zstd',
  notes: 'application/vnd.dockerctl.notes.v1.json+zstd',
  signature: 'application/vnd.dockerctl.signature.v1+ssh',
} as const;

/** Behind the media type of a blob that is sealed in an age file. */
export const sealedSuffix = '+age';

export const annotations = {
  source: 'dockerctl.source',
  packs: 'dockerctl.packs',
  carried: 'dockerctl.carried',
} as const;

/** Registries accept no larger manifest. */
export const manifestLimit = 4 * 1024 * 1024;

/** Bytes that are sensible for a config: it names every segment of every tree. */
export const configLimit = 4 * manifestLimit;

/** Trees, indexes and notes are no larger than this, in bytes, compressed or not. */
export const metadataLimit = 64 * manifestLimit;

/**
 * Bytes that are sensible for notes, which are read whenever snapshots are listed: a few hundred sentences a source.
 */
export const notesLimit = 2 * manifestLimit;

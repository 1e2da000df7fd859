import type { Digest } from '../../oci/digest.ts';
import { readBlob } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import { readMetadata } from '../blobs/metadata.ts';
import { mostWarnings } from '../run/source-tally.ts';
import type { Store } from '../seal/store.ts';
import { type Config, decodeConfig } from './config.ts';
import { type BlobRef, blobsOfParts, decodeManifest, type Parts, type TreeRef } from './manifest.ts';
import { configLimit, manifestLimit, notesLimit } from './media-types.ts';
import type { Snapshot } from './snapshot.ts';

/** A snapshot as it lies in the repository. */
export interface StoredSnapshot {
  snapshot: Snapshot;
  manifest: BlobRef;
  repository: string;
  parts: Parts;
  /** Segments of each source's tree, in order. */
  trees: Map<string, TreeRef[]>;
}

/** Every blob that a snapshot needs, its manifest among them. */
export function blobsOf({ manifest, parts }: StoredSnapshot): BlobRef[] {
  return [manifest, ...blobsOfParts(parts)];
}

/** Every pack that snapshots need, each once. */
export function packsOf(stored: readonly StoredSnapshot[]): Set<Digest> {
  return new Set(stored.flatMap(({ parts }) => parts.packs.map(({ digest }) => digest)));
}

/**
 * The snapshot of this manifest, read from the repository.
 * @throws {DamagedError}
 */
export async function loadSnapshot(store: Store, manifest: Digest): Promise<StoredSnapshot> {
  return decodeSnapshot(store, manifest, await readBlob(store, manifest, manifestLimit));
}

/**
 * The snapshot that the bytes of a manifest describe, whose config is in the repository.
 * @throws {DamagedError}
 */
export async function decodeSnapshot(
  store: Store,
  manifest: Digest,
  bytes: Uint8Array,
): Promise<StoredSnapshot> {
  const parts = decodeManifest(bytes, `manifest ${manifest}`);
  const id = parts.config.digest;
  const config = decodeConfig(await readBlob(store, id, configLimit), `config ${id}`);
  await addWarnings(store, config);
  return {
    snapshot: { id, ...config.snapshot },
    manifest: { digest: manifest, size: bytes.length },
    repository: config.repository,
    parts,
    trees: treesOf(config, parts),
  };
}

/** Their words when the notes can be read, else how many there are. */
async function addWarnings(store: Store, config: Config): Promise<void> {
  if (config.notes === undefined) return;
  const words = await readNotes(store, config.notes).catch((): Notes => new Map());
  for (const source of config.snapshot.sources) {
    const count = config.warnings.get(source.name) ?? 0;
    source.warnings = words.get(source.name) ?? (count === 0 ? [] : [unreadable(count, store, config)]);
  }
}

function unreadable(count: number, { identities }: Store, { snapshot: { recipients } }: Config): string {
  const how = recipients.length > 0 && identities.length === 0 ? ' without --identity FILE' : '';
  return `${count} ${count === 1 ? 'warning' : 'warnings'} that cannot be read${how}`;
}

/** Warnings by the source's name. */
type Notes = Map<string, string[]>;

async function readNotes(store: Store, digest: Digest): Promise<Notes> {
  const notes = JSON.parse((await readMetadata(store, { digest }, notesLimit)).toString('utf8'));
  return new Map(Object.entries(notes).filter((each): each is [string, string[]] => areWords(each[1])));
}

/** Of more than a source is ever warned of nothing is kept: the notes of every snapshot are, in every list. */
function areWords(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length <= mostWarnings && value.every((word) => typeof word === 'string')
  );
}

function treesOf(config: Config, parts: Parts): Map<string, TreeRef[]> {
  const segments = new Map(parts.trees.map((tree) => [tree.digest, tree]));
  const trees = new Map<string, TreeRef[]>();
  for (const [source, digests] of config.trees) {
    trees.set(
      source,
      digests.map((digest) => segmentOf(segments, digest, parts.config.digest)),
    );
  }
  return trees;
}

function segmentOf(segments: Map<Digest, TreeRef>, digest: Digest, id: string): TreeRef {
  const segment = segments.get(digest);
  if (segment !== undefined) return segment;
  throw new DamagedError(`reading snapshot ${id}: its manifest lacks the tree segment ${digest}`);
}

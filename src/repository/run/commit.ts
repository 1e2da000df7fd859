import type { Digest } from '../../oci/digest.ts';
import { blobSize, publishBlob, type StagedBlob, stageBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import { rememberMetadata, stageMetadata } from '../blobs/metadata.ts';
import type { UsablePacks } from '../packs/usable-packs.ts';
import { keepReserve } from '../prune/reserve.ts';
import type { Store } from '../seal/store.ts';
import { type SigningKey, signConfig } from '../signed/signing-key.ts';
import { encodeConfig } from '../snapshot/config.ts';
import { encodeManifest, type PackRef, type Parts, type TreeRef } from '../snapshot/manifest.ts';
import { publishSnapshot } from '../snapshot/publish.ts';
import type { Snapshot, SourceSummary } from '../snapshot/snapshot.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import type { NewSegment } from '../tree/tree-writer.ts';
import type { Ingest } from './ingest.ts';
import { writeIndexes } from './write-indexes.ts';

export interface CommitOptions {
  store: Store;
  repository: string;
  ingest: Ingest;
  usable: UsablePacks;
  sources: readonly EndedSource[];
  /** All that is told of the snapshot but what the commit itself finds out. */
  about: Pick<
    Snapshot,
    'started' | 'ended' | 'host' | 'deployment' | 'release' | 'predecessor' | 'tags' | 'recipients'
  >;
  /** What signs the config. */
  signingKey: SigningKey | undefined;
  /** Every other snapshot, for `index.json`. */
  stored: readonly StoredSnapshot[];
}

export interface EndedSource {
  summary: SourceSummary;
  segments: NewSegment[];
}

/** Publishes everything that a run has staged, in the order that `docs/backup-format.md` promises. */
export async function commitRun(options: CommitOptions): Promise<Snapshot> {
  const { store } = options;
  await options.ingest.close(); // What the threads hold makes room for the indexes.
  const { staged, trees, parts } = await stageContent(options);
  const about = await describeSnapshot(options, staged);
  const { config, signature } = await stageConfig(options, {
    repository: options.repository,
    snapshot: about,
    trees,
    notes: parts.notes?.digest,
  });
  const manifest = await stageBlob(
    store,
    encodeManifest({ config, signature, ...parts }, store.recipients.length > 0),
  );
  for (const blob of [...staged, config, ...(signature === undefined ? [] : [signature])]) {
    await publishBlob(store, blob);
  }
  await syncBlobs(store);
  await publishSnapshot(store, options.stored, { id: config.digest, ...about }, manifest);
  // Without it the next run has nothing to compare with, and says so; this one is done.
  await tendCache(options, parts).catch(() => {});
  await keepReserve(store.directory).catch(() => {}); // Without it only removing on a full disk is harder.
  return { id: config.digest, ...about };
}

interface StagedContent {
  /** In the order in which they are published. */
  staged: StagedBlob[];
  /** Segments of the tree of each source. */
  trees: Map<string, Digest[]>;
  parts: Omit<Parts, 'config' | 'signature'>;
}

/** All that the snapshot consists of, but for what tells of it. */
async function stageContent(options: CommitOptions): Promise<StagedContent> {
  const { store, ingest } = options;
  const trees = await resolveTrees(options);
  const needed = packsOf(trees.refs.values());
  const written = ingest.packs.filter(({ ref }) => needed.has(ref.digest));
  const indexes = await writeIndexes(options, written, needed);
  const notes = await writeNotes(store, options.sources);
  const packs = written.map((pack) => pack.staged);
  return {
    staged: unique([...packs, ...trees.staged, ...indexes.staged, ...(notes === undefined ? [] : [notes])]),
    trees: trees.ofSource,
    parts: {
      packs: [...needed.values()],
      indexes: indexes.refs,
      trees: [...trees.refs.values()],
      notes,
    },
  };
}

async function describeSnapshot(
  { store, about, sources }: CommitOptions,
  staged: readonly StagedBlob[],
): Promise<Omit<Snapshot, 'id'>> {
  const summaries = sources.map(({ summary }) => summary);
  const complete = summaries.every((summary) => summary.complete);
  return { ...about, complete, sources: summaries, added: await countAdded(store, staged) };
}

/** Of blobs that are not there yet: files that were read again may turn out as they were. */
async function countAdded(store: Store, staged: readonly StagedBlob[]): Promise<Snapshot['added']> {
  const added = { bytes: 0, blobs: 0 };
  for (const { digest, size } of staged) {
    if ((await blobSize(store, digest)) === size) continue;
    added.bytes += size;
    added.blobs++;
  }
  return added;
}

async function resolveTrees({ sources, ingest }: CommitOptions) {
  const staged: StagedBlob[] = [];
  const refs = new Map<Digest, TreeRef>();
  const ofSource = new Map<string, Digest[]>();
  for (const { summary, segments } of sources) {
    const digests: Digest[] = [];
    for (const segment of segments) {
      const { ref, blob } = await resolveSegment(segment, summary.name, ingest);
      if (blob !== undefined) staged.push(blob);
      refs.set(ref.digest, ref);
      digests.push(ref.digest);
    }
    ofSource.set(summary.name, digests);
  }
  return { staged, refs, ofSource };
}

async function resolveSegment(
  segment: NewSegment,
  source: string,
  ingest: Ingest,
): Promise<{ ref: TreeRef; blob?: StagedBlob }> {
  if ('same' in segment) return { ref: { ...segment.same, source } };
  const blob = await segment.blob;
  const packs = segment.chunks.length === 0 ? [] : (await ingest.known()).packsOf(segment.chunks);
  return { ref: { digest: blob.digest, size: blob.size, source, packs }, blob };
}

function packsOf(trees: Iterable<TreeRef>): Map<Digest, PackRef> {
  const packs = new Map<Digest, PackRef>();
  for (const tree of trees) for (const pack of tree.packs) packs.set(pack.digest, pack);
  return packs;
}

async function writeNotes(store: Store, sources: readonly EndedSource[]): Promise<StagedBlob | undefined> {
  const noted = sources.filter(({ summary }) => summary.warnings.length > 0);
  if (noted.length === 0) return undefined;
  const notes = Object.fromEntries(noted.map(({ summary }) => [summary.name, summary.warnings]));
  return stageMetadata(store, Buffer.from(JSON.stringify(notes)));
}

async function stageConfig(
  { store, signingKey }: CommitOptions,
  config: Parameters<typeof encodeConfig>[0],
): Promise<{ config: StagedBlob; signature: StagedBlob | undefined }> {
  const bytes = encodeConfig(config);
  const signature = signingKey === undefined ? undefined : await signConfig(bytes, signingKey);
  return {
    config: await stageBlob(store, bytes),
    signature: signature && (await stageBlob(store, signature)),
  };
}

/** Leaves in it what the next run may want to compare with. A key at hand brings back what was lost of it. */
async function tendCache(
  { store, stored }: CommitOptions,
  parts: Pick<Parts, 'indexes' | 'trees'>,
): Promise<void> {
  const readable = [...stored.map((snapshot) => snapshot.parts), parts];
  const needed = readable.flatMap(({ indexes, trees }) => [...indexes, ...trees]);
  await store.cache?.keepOnly(new Set(needed.map(({ digest }) => digest)), store.directory);
  if (store.identities.length === 0) return;
  const known = (await store.cache?.digests()) ?? new Set();
  for (const blob of [...parts.indexes, ...parts.trees])
    if (!known.has(blob.digest)) await rememberMetadata(store, blob);
}

function unique(blobs: readonly StagedBlob[]): StagedBlob[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

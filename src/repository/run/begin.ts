import type { Digest } from '../../oci/digest.ts';
import { clearStaging, requireOwnDirectories } from '../../oci/layout.ts';
import { listBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, readIndex, readStagedIndex } from '../../oci/layout-index.ts';
import type { Context } from '../../support/context.ts';
import { messageOf } from '../../support/errors.ts';
import { encodeRecipient } from '../age/keys.ts';
import { stageMetadata } from '../blobs/metadata.ts';
import { packGoal } from '../packs/pack-goal.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { Snapshot, SourceSummary } from '../snapshot/snapshot.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { cutBits } from '../tree/cut.ts';
import { PreviousTree } from '../tree/previous-tree.ts';
import { writeError } from '../write-error.ts';
import { commitRun, type EndedSource } from './commit.ts';
import { Ingest } from './ingest.ts';
import { selectReusable } from './reusable.ts';
import type { Run, RunOptions, SourceWriter } from './run.ts';
import { createSourceWriter } from './source-writer.ts';

export interface BeginOptions extends RunOptions {
  store: Store;
  repository: string;
  /** Every snapshot, oldest first. */
  stored: readonly StoredSnapshot[];
  damaged: ReadonlySet<Digest>;
  /** Called once, however the run ends. */
  onEnd(): void;
}

/** Begins a run; the exclusive lock is held. */
export async function beginRun(options: BeginOptions, context: Context): Promise<Run> {
  const { store, stored } = options;
  const started = context.now();
  const reusable = await selectReusable(store, stored);
  const comparable = ofDeployment(reusable, options.deployment).reverse();
  const indexes = [...reusable].reverse().flatMap(({ parts }) => parts.indexes);
  const usable = new UsablePacks(store, indexes, options.damaged);
  const ingest = new Ingest({ store, indexes, usable, packGoal: packGoal(stored) });
  if (comparable.length === 0 && ofDeployment(stored, options.deployment).length > 0) {
    context.progress.warn(nothingToBuildOn(store));
  }
  const sources: EndedSource[] = [];
  const writing = new Set<Promise<unknown>>();
  let active = true;

  async function end(): Promise<void> {
    if (!active) return;
    active = false;
    await ingest.close();
    await Promise.allSettled(writing); // Lest one lands behind the broom.
    await clearStaging(store).catch(() => {});
    options.onEnd();
  }

  return {
    predecessor: comparable[0]?.snapshot,

    async beginSource(source): Promise<SourceWriter> {
      const previous = comparable.find(({ trees }) => trees.has(source.name));
      const refs = previous?.trees.get(source.name) ?? [];
      const usableSegments = await selectUsable(refs, usable);
      if (usableSegments.size < refs.length) await ingest.known();
      return createSourceWriter({
        source,
        predecessor: summaryOf(previous?.snapshot, source.name),
        ingest,
        context,
        previous: new PreviousTree(store, refs, (error) => context.progress.warn(messageOf(error))),
        usable: usableSegments,
        cutBits: cutBits(summaryOf(previous?.snapshot, source.name)?.files ?? 0),
        writeSegment: (text) => remember(stageMetadata(store, text), writing),
        onEnd: (summary, segments) => sources.push({ summary, segments }),
      });
    },

    async commit(): Promise<Snapshot> {
      try {
        const { host, deployment, release, tags = [] } = options;
        const predecessor = comparable[0]?.snapshot.id;
        const recipients = store.recipients.map(encodeRecipient);
        const who = { host, deployment, release, tags: [...tags], recipients };
        const about = { ...who, started, ended: context.now(), predecessor };
        const { repository, signingKey } = options;
        return await commitRun({ store, repository, ingest, usable, sources, about, signingKey, stored });
      } catch (error) {
        throw writeError(store.directory, error);
      } finally {
        await end();
      }
    },

    abandon: end,
  };
}

/** Keeps a promise in `pending` until it is settled. */
function remember<T>(promise: Promise<T>, pending: Set<Promise<unknown>>): Promise<T> {
  pending.add(promise);
  const forget = () => pending.delete(promise);
  promise.then(forget, forget);
  return promise;
}

function ofDeployment(stored: readonly StoredSnapshot[], deployment: string): StoredSnapshot[] {
  return stored.filter(({ snapshot }) => snapshot.deployment === deployment);
}

function nothingToBuildOn({ directory, recipients }: Store): string {
  const why =
    recipients.length === 0
      ? 'they are encrypted, and this one shall not be'
      : 'they are not encrypted to all recipients, or this host no longer knows what is inside';
  return `everything is stored anew: of the snapshots in ${directory} none can be built on, for ${why}`;
}

async function selectUsable(refs: readonly TreeRef[], usable: UsablePacks): Promise<Set<TreeRef>> {
  const selected = new Set<TreeRef>();
  for (const ref of refs) if (await usable.all(ref.packs)) selected.add(ref);
  return selected;
}

function summaryOf(snapshot: Snapshot | undefined, source: string): SourceSummary | undefined {
  return snapshot?.sources.find(({ name }) => name === source);
}

/**
 * Finishes a commit, or the removal of a snapshot, that was cut short between its manifest and `index.json`, then
 * sweeps what dead runs left.
 * @throws {DamagedError} when that is not the repository's own
 */
export async function recoverStaging(store: Store): Promise<void> {
  await requireOwnDirectories(store);
  const staged = await readStagedIndex(store);
  if (staged !== undefined) {
    const present = new Set(await listBlobs(store));
    const kept = new Set(staged.manifests.map(({ digest }) => digest));
    const toBeRemoved = ((await readIndex(store))?.manifests ?? []).filter(({ digest }) => !kept.has(digest));
    const isWhole = [...kept].every((digest) => present.has(digest));
    if (isWhole && !toBeRemoved.some(({ digest }) => present.has(digest))) await publishIndex(store);
  }
  await clearStaging(store);
}

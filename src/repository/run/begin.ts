import type { Digest } from '../../oci/digest.ts';
import type { Layout } from '../../oci/layout.ts';
import { clearStaging, listBlobs, publishIndex, readStagedIndex } from '../../oci/layout.ts';
import type { Context } from '../../support/context.ts';
import { messageOf } from '../../support/errors.ts';
import { stageMetadata } from '../blobs/metadata.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import type { Run, RunOptions, Snapshot, SourceWriter } from '../repository.ts';
import type { StoredSnapshot } from '../snapshot/load.ts';
import type { PackRef, TreeRef } from '../snapshot/manifest.ts';
import { cutBits } from '../tree/cut.ts';
import { PreviousTree } from '../tree/previous-tree.ts';
import { commitRun, type EndedSource } from './commit.ts';
import { Ingest } from './ingest.ts';
import { createSourceWriter } from './source-writer.ts';
import { writeError } from './write-error.ts';

export interface BeginOptions extends RunOptions {
  layout: Layout;
  repository: string;
  /** Every snapshot, oldest first. */
  stored: readonly StoredSnapshot[];
  damaged: ReadonlySet<Digest>;
  /** Called once, however the run ends. */
  onEnd(): void;
}

/** Begins a run; the exclusive lock is held. */
export async function beginRun(options: BeginOptions, context: Context): Promise<Run> {
  const { layout, stored } = options;
  const started = context.now();
  const comparable = stored.filter(({ snapshot }) => snapshot.deployment === options.deployment).reverse();
  const indexes = [...stored].reverse().flatMap(({ parts }) => parts.indexes);
  const usable = new UsablePacks(layout, indexes, options.damaged);
  const ingest = new Ingest({ layout, indexes, usable, packGoal: packGoal(stored) });
  const sources: EndedSource[] = [];
  let active = true;

  async function end(): Promise<void> {
    if (!active) return;
    active = false;
    await ingest.close();
    await clearStaging(layout).catch(() => {});
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
        ingest,
        context,
        previous: new PreviousTree(layout, refs, (error) => context.progress.warn(messageOf(error))),
        usable: usableSegments,
        cutBits: cutBits(filesOf(previous?.snapshot, source.name)),
        writeSegment: (text) => stageMetadata(layout, text),
        onEnd: (summary, segments) => sources.push({ summary, segments }),
      });
    },

    async commit(): Promise<Snapshot> {
      try {
        const { host, deployment, release } = options;
        const predecessor = comparable[0]?.snapshot.id;
        const about = { started, ended: context.now(), host, deployment, release, predecessor };
        const { repository } = options;
        return await commitRun({ layout, repository, ingest, usable, sources, about, stored });
      } catch (error) {
        throw writeError(layout.directory, error);
      } finally {
        await end();
      }
    },

    abandon: end,
  };
}

async function selectUsable(refs: readonly TreeRef[], usable: UsablePacks): Promise<Set<TreeRef>> {
  const selected = new Set<TreeRef>();
  for (const ref of refs) if (await usable.all(ref.packs)) selected.add(ref);
  return selected;
}

function filesOf(snapshot: Snapshot | undefined, source: string): number {
  return snapshot?.sources.find(({ name }) => name === source)?.files ?? 0;
}

const smallestPackGoal = 64 * 1024 * 1024;
const mostPacks = 4096;

/** Packs grow with the repository, so that a manifest that names all of them stays small enough for registries. */
function packGoal(stored: readonly StoredSnapshot[]): number {
  const packs = new Map<Digest, PackRef>(
    stored.flatMap(({ parts }) => parts.packs.map((pack) => [pack.digest, pack] as const)),
  );
  const total = [...packs.values()].reduce((sum, { size }) => sum + size, 0);
  return Math.max(smallestPackGoal, Math.ceil(total / mostPacks));
}

/** Finishes a commit that was cut short between its manifest and `index.json`, then sweeps what dead runs left. */
export async function recoverStaging(layout: Layout): Promise<void> {
  const staged = await readStagedIndex(layout);
  if (staged !== undefined) {
    const present = new Set(await listBlobs(layout));
    if (staged.manifests.every(({ digest }) => present.has(digest))) await publishIndex(layout);
  }
  await clearStaging(layout);
}

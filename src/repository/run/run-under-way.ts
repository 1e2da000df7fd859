import type { Context } from '../../support/context.ts';
import { encodeRecipient } from '../age/keys.ts';
import { stageMetadata } from '../blobs/metadata.ts';
import type { UsablePacks } from '../packs/usable-packs.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { Snapshot, SourceSummary } from '../snapshot/snapshot.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { cutBits } from '../tree/cut.ts';
import { PreviousTree } from '../tree/previous-tree.ts';
import { readError, writeError } from '../write-error.ts';
import type { BeginOptions } from './begin.ts';
import { type CommitOptions, commitRun, type EndedSource } from './commit.ts';
import type { Ingest } from './ingest.ts';
import { recoverStaging } from './recover-staging.ts';
import type { Run, SourceWriter } from './run.ts';
import { createSourceWriter } from './source-writer.ts';
import type { VouchedFor } from './vouched-for.ts';

export interface RunUnderWayOptions extends Omit<BeginOptions, 'damaged' | 'pool'> {
  started: Date;
  /** Snapshots of the deployment whose content can be used again, newest first. */
  comparable: readonly StoredSnapshot[];
  vouchedFor: VouchedFor;
  usable: UsablePacks;
  ingest: Ingest;
}

/** The run of one writer, who holds the exclusive lock, until it is committed or given up. */
export class RunUnderWay implements Run {
  readonly #options: RunUnderWayOptions;
  readonly #context: Context;
  readonly #sources: EndedSource[] = [];
  readonly #writing = new Set<Promise<unknown>>();
  #active = true;

  constructor(options: RunUnderWayOptions, context: Context) {
    this.#options = options;
    this.#context = context;
  }

  get predecessor(): Snapshot | undefined {
    return this.#options.comparable[0]?.snapshot;
  }

  async beginSource(source: Parameters<Run['beginSource']>[0]): Promise<SourceWriter> {
    const { store, usable, ingest, comparable } = this.#options;
    const previous = await this.#lastWith(source.name);
    const predecessor = previous?.snapshot.sources.find(({ name }) => name === source.name);
    const refs = previous?.trees.get(source.name) ?? [];
    const usableSegments = await selectUsable(refs, usable).catch((error: unknown) => {
      throw readError(store.directory, error);
    });
    if (usableSegments.size < refs.length) await ingest.known();
    return createSourceWriter({
      source,
      predecessor,
      lastComplete: lastComplete(source.name, comparable),
      ingest,
      context: this.#context,
      previous: new PreviousTree(store, refs, (error) => this.#warnOfPrevious(source.name, error)),
      usable: usableSegments,
      cutBits: cutBits(predecessor?.files ?? 0),
      writeSegment: (text) => remember(stageMetadata(store, text), this.#writing),
      onEnd: (summary, segments) => this.#sources.push({ summary, segments }),
    });
  }

  /** The newest snapshot to compare a source with. */
  async #lastWith(source: string): Promise<StoredSnapshot | undefined> {
    const { comparable, vouchedFor } = this.#options;
    for (const stored of comparable)
      if (stored.trees.has(source) && (await vouchedFor(stored))) return stored;
    return undefined;
  }

  #warnOfPrevious(source: string, { message }: Error): void {
    this.#context.progress.warn(
      `${source}: files are read anew, for the last list of them is damaged: ${message}`,
    );
  }

  async commit(): Promise<Snapshot> {
    try {
      const { store, repository, ingest, usable, signingKey, stored } = this.#options;
      const sources = this.#sources;
      const about = this.#about();
      return await commitRun({ store, repository, ingest, usable, sources, about, signingKey, stored });
    } catch (error) {
      throw writeError(this.#options.store.directory, error);
    } finally {
      await this.abandon();
    }
  }

  async abandon(): Promise<void> {
    if (!this.#active) return;
    this.#active = false;
    await this.#options.ingest.close();
    await Promise.allSettled(this.#writing); // Lest one lands behind the broom.
    // A commit whose very last step failed stands. What cannot be finished or swept now is left to the next writer.
    await recoverStaging(this.#options.store).catch(() => {});
    this.#options.onEnd();
  }

  #about(): CommitOptions['about'] {
    const { host, deployment, release, tags = [], store, started } = this.#options;
    const recipients = store.recipients.map(encodeRecipient);
    const who = { host, deployment, release, tags: [...tags], recipients };
    return { ...who, started, ended: this.#context.now(), predecessor: this.predecessor?.id };
  }
}

function lastComplete(source: string, newestFirst: readonly StoredSnapshot[]): SourceSummary | undefined {
  for (const { snapshot } of newestFirst) {
    const summary = snapshot.sources.find(({ name, complete }) => name === source && complete);
    if (summary !== undefined) return summary;
  }
  return undefined;
}

async function selectUsable(refs: readonly TreeRef[], usable: UsablePacks): Promise<Set<TreeRef>> {
  const selected = new Set<TreeRef>();
  for (const ref of refs) if (await usable.all(ref.packs)) selected.add(ref);
  return selected;
}

/** Keeps a promise in `pending` until it is settled. */
function remember<T>(promise: Promise<T>, pending: Set<Promise<unknown>>): Promise<T> {
  pending.add(promise);
  const forget = () => pending.delete(promise);
  promise.then(forget, forget);
  return promise;
}

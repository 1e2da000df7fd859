import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { readPackIndex } from '../packs/read-pack-index.ts';
import { SourceTally } from '../run/source-tally.ts';
import type { Store } from '../seal/store.ts';
import type { Config } from '../snapshot/config.ts';
import { blobsOfParts, type Parts, type TreeRef } from '../snapshot/manifest.ts';
import type { Snapshot, SourceSummary } from '../snapshot/snapshot.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import { findOpeners } from './openers.ts';

/** What is left of a snapshot whose config is lost. */
export interface LostFacts {
  parts: Parts;
  /** Whether its blobs are encrypted. */
  sealed: boolean;
  /** When it began, as `index.json` says; else when its manifest was written. */
  started: Date;
}

export interface Described extends Omit<Config, 'notes' | 'warnings'> {
  /** How many may open it besides those that it names as recipients. */
  unnamed: number;
}

/**
 * What its config may have said: its sources and their trees are in the manifest, how much they hold is in the trees;
 * where it was made, and from what, the nearest other snapshot tells. Nobody knows whether it was complete.
 * @throws {SignatureError} when it is sealed and no key is at hand
 * @throws {DamagedError} when not even an index can be read
 */
export async function describeLost(
  store: Store,
  stored: readonly StoredSnapshot[],
  facts: LostFacts,
): Promise<Described> {
  const kin = nearestFirst(stored, facts);
  const { host, deployment, release } = kin[0]?.snapshot ?? unknown;
  const sources: SourceSummary[] = [];
  const trees = new Map<string, Digest[]>();
  for (const [name, refs] of Map.groupBy(facts.parts.trees, ({ source }) => source)) {
    trees.set(
      name,
      refs.map(({ digest }) => digest),
    );
    sources.push({ ...describeSource(name, kin, facts.started), ...(await countFiles(store, refs)) });
  }
  const nobody = { recipients: [], unnamed: 0 };
  const { recipients, unnamed } = facts.sealed ? await findOpeners(store, kin, facts.parts) : nobody;
  const snapshot: Omit<Snapshot, 'id'> = {
    started: facts.started,
    ended: facts.started,
    host,
    deployment,
    release,
    complete: false,
    rebuilt: true,
    predecessor: undefined,
    tags: [],
    recipients,
    sources,
    added: { bytes: 0, blobs: 0 },
  };
  return { repository: await repositoryOf(store, kin, facts.parts), snapshot, trees, unnamed };
}

const unknown = { host: 'unknown', deployment: 'unknown', release: undefined };

/** Those that share its blobs before others, and then by time. What was rebuilt itself knows nothing of its own. */
function nearestFirst(
  stored: readonly StoredSnapshot[],
  { parts, started, sealed }: LostFacts,
): StoredSnapshot[] {
  const own = new Set(blobsOfParts(parts).map(({ digest }) => digest));
  const shares = (other: StoredSnapshot) => blobsOfParts(other.parts).some(({ digest }) => own.has(digest));
  const distance = ({ snapshot }: StoredSnapshot) => Math.abs(snapshot.started.getTime() - started.getTime());
  return stored
    .filter(({ snapshot }) => !snapshot.rebuilt && snapshot.recipients.length > 0 === sealed)
    .map((other) => ({ other, shares: Number(shares(other)) }))
    .sort((a, b) => b.shares - a.shares || distance(a.other) - distance(b.other))
    .map(({ other }) => other);
}

/** A source that no other snapshot tells of can be written out as files, and is restored to no place by itself. */
function describeSource(name: string, kin: readonly StoredSnapshot[], started: Date): SourceSummary {
  const known = kin.flatMap(({ snapshot }) => snapshot.sources).find((source) => source.name === name);
  const { title, kind, origin } = known ?? { title: name, kind: 'run' as const, origin: {} };
  const times = { started, ended: started, complete: false };
  return { name, title, kind, origin, ...times, files: 0, bytes: 0, newBytes: 0, warnings: [] };
}

/** As far as they can be read. */
async function countFiles(store: Store, refs: readonly TreeRef[]): Promise<{ files: number; bytes: number }> {
  const tally = new SourceTally();
  for await (const segment of readSegments(store, refs)) {
    if (segment instanceof DamagedError) continue;
    for (const entry of segment.entries) tally.count(entry);
  }
  return { files: tally.files, bytes: tally.bytes };
}

/** @throws {DamagedError} */
async function repositoryOf(
  store: Store,
  kin: readonly StoredSnapshot[],
  { indexes }: Parts,
): Promise<string> {
  if (kin[0] !== undefined) return kin[0].repository;
  let problem = new DamagedError('there is no index that tells of which repository it is');
  for (const { digest } of indexes) {
    try {
      return (await readPackIndex(store, { digest })).header.repository;
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      problem = error;
    }
  }
  throw problem;
}

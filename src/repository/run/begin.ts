import type { Digest } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { encodeRecipient } from '../age/keys.ts';
import type { IngestPool } from '../ingest/pool.ts';
import { packGoal } from '../packs/pack-goal.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import type { Store } from '../seal/store.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { Ingest } from './ingest.ts';
import { readableIndexes } from './readable-indexes.ts';
import { selectReusable } from './reusable.ts';
import type { Run, RunOptions } from './run.ts';
import { RunUnderWay } from './run-under-way.ts';
import { everyIndex, indexesOneByOne, type VouchedFor, vouchedForBy } from './vouched-for.ts';

export interface BeginOptions extends RunOptions {
  store: Store;
  repository: string;
  /** Every snapshot, oldest first. */
  stored: readonly StoredSnapshot[];
  damaged: ReadonlySet<Digest>;
  /** Threads that were started for it. */
  pool: IngestPool | undefined;
  /** Called once, however the run ends. */
  onEnd(): void;
}

/** Begins a run; the exclusive lock is held. */
export async function beginRun(options: BeginOptions, context: Context): Promise<Run> {
  const { store, stored, deployment, host, damaged, pool } = options;
  const started = context.now();
  const reusable = (await selectReusable(store, stored)).toReversed();
  const vouchedFor = vouchedForBy(options.signingKey, store);
  const candidates = ofDeployment(reusable, deployment);
  const comparable = await fromFirst(candidates, vouchedFor);
  const told = readableIndexes(store, indexesOneByOne(reusable, vouchedFor), ({ message }) =>
    context.progress.warn(`what was stored is stored anew where its index is damaged: ${message}`),
  );
  const usable = new UsablePacks(store, told, damaged);
  const indexes = () => everyIndex(reusable, vouchedFor);
  const ingest = new Ingest({ store, indexes, usable, packGoal: packGoal(stored), pool });
  const earlier = ofHost(ofDeployment(stored, deployment), host);
  if (candidates.length === 0 && earlier.length > 0) context.progress.warn(nothingToBuildOn(store, earlier));
  const passedOver = ofHost(candidates.slice(0, candidates.length - comparable.length), host);
  if (passedOver.length > 0) context.progress.warn(notVouchedFor(passedOver));
  return new RunUnderWay({ ...options, started, comparable, vouchedFor, usable, ingest }, context);
}

/** From the first that is vouched for: what is newer is told of, what is older is asked about when it is wanted. */
async function fromFirst(
  candidates: readonly StoredSnapshot[],
  vouchedFor: VouchedFor,
): Promise<readonly StoredSnapshot[]> {
  for (const [index, stored] of candidates.entries())
    if (await vouchedFor(stored)) return candidates.slice(index);
  return [];
}

/** @param newest first */
function notVouchedFor([newest, ...others]: readonly StoredSnapshot[]): string {
  const { snapshot, parts } = newest!;
  const before = others.length === 1 ? 'is the one' : `are the ${others.length}`;
  const more = others.length === 0 ? '' : ` (nor ${before} before it)`;
  const why = parts.carried ? 'it was brought here' : 'it is not signed with the key that signs this one';
  return `snapshot ${shortId(snapshot.id)} of ${snapshot.host} is not built on${more}: ${why}`;
}

function ofDeployment(stored: readonly StoredSnapshot[], deployment: string): StoredSnapshot[] {
  return stored.filter(({ snapshot }) => snapshot.deployment === deployment);
}

/** That those of others come in between is no news where several hosts share a repository: it is so every night. */
function ofHost(stored: readonly StoredSnapshot[], host: string): StoredSnapshot[] {
  return stored.filter(({ snapshot }) => snapshot.host === host);
}

function nothingToBuildOn({ directory, recipients }: Store, earlier: readonly StoredSnapshot[]): string {
  const wanted = recipients.map(encodeRecipient);
  const isSealedToAll = earlier.some(({ snapshot }) =>
    wanted.every((one) => snapshot.recipients.includes(one)),
  );
  const sealed = isSealedToAll
    ? 'this host no longer knows what is inside, which `dockerctl backup --identity FILE` would tell it'
    : 'they are not encrypted to all recipients';
  const why = wanted.length === 0 ? 'they are encrypted, and this one shall not be' : sealed;
  return `everything is stored anew: none of the snapshots in ${directory} can be built on, for ${why}`;
}

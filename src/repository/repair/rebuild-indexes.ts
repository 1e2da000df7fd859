import { randomBytes } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { publishBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import { decodeRecipient } from '../age/keys.ts';
import { encodePackLine, type IndexHeader } from '../packs/index-lines.ts';
import { loadKnownChunks } from '../packs/load-known.ts';
import { stageIndexes } from '../packs/stage-indexes.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import type { Store } from '../seal/store.ts';
import type { BlobRef, IndexRef, PackRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { surveyPack } from './survey-pack.ts';

/** An index outside of any snapshot, and who can open it; nobody: it is not sealed. */
export interface SpareIndex {
  ref: IndexRef;
  recipients: readonly string[];
}

/**
 * Writes an index for every whole pack of which none tells any more, from what is in the pack.
 * @param damaged blobs that are not what their names say
 */
export async function rebuildIndexes(
  store: Store,
  stored: readonly StoredSnapshot[],
  damaged: ReadonlySet<Digest>,
  { progress }: Context,
): Promise<SpareIndex[]> {
  const lost = await packsWithoutIndex(store, stored, damaged);
  const indexes: SpareIndex[] = [];
  for (const [digest, pack] of lost) {
    try {
      indexes.push(await rebuildIndex(store, stored, pack));
    } catch (error) {
      if (!(error instanceof DamagedError || error instanceof SignatureError)) throw error;
      progress.warn(`what is in pack ${digest} cannot be found out: ${error.message}`);
    }
  }
  if (indexes.length > 0) await syncBlobs(store);
  return indexes;
}

async function packsWithoutIndex(
  store: Store,
  stored: readonly StoredSnapshot[],
  damaged: ReadonlySet<Digest>,
): Promise<Map<Digest, PackRef>> {
  const usable = new UsablePacks(store, indexesOf(stored), damaged);
  const lost = new Map<Digest, PackRef>();
  for (const pack of stored.flatMap(({ parts }) => parts.packs)) {
    if ((await usable.isPresent(pack)) && !(await usable.has(pack))) lost.set(pack.digest, pack);
  }
  return lost;
}

/** For everybody who can open the pack. */
async function rebuildIndex(
  store: Store,
  stored: readonly StoredSnapshot[],
  pack: PackRef,
): Promise<SpareIndex> {
  const users = stored.filter(({ parts }) => parts.packs.some(({ digest }) => digest === pack.digest));
  const recipients = [...new Set(users.flatMap(({ snapshot }) => snapshot.recipients))];
  const header = { repository: users[0]!.repository, seed: await findSeed(store, indexesOf(stored)) };
  return writeIndex(store, { recipients, header }, pack);
}

/**
 * Writes an index for every pack among blobs of which nobody knows what they are.
 * @param about the snapshot that may need them, and every index there is
 */
export async function indexUntoldPacks(
  store: Store,
  untold: readonly BlobRef[],
  about: { recipients: readonly string[]; repository: string; spare: readonly SpareIndex[] },
): Promise<SpareIndex[]> {
  const { recipients, repository } = about;
  const seed = await findSeed(
    store,
    about.spare.map(({ ref }) => ref),
  );
  const indexes: SpareIndex[] = [];
  for (const blob of untold) {
    try {
      const pack = { ...blob, source: '' };
      indexes.push(await writeIndex(store, { recipients, header: { repository, seed } }, pack));
    } catch (error) {
      // It is no pack, or one that nobody can look into.
      if (!(error instanceof DamagedError || error instanceof SignatureError)) throw error;
    }
  }
  if (indexes.length > 0) await syncBlobs(store);
  return indexes;
}

async function writeIndex(
  store: Store,
  { recipients, header }: { recipients: readonly string[]; header: IndexHeader },
  pack: PackRef,
): Promise<SpareIndex> {
  const line = encodePackLine(await surveyPack(store, pack));
  const sealing = { ...store, recipients: recipients.map(decodeRecipient) };
  const { staged, refs } = await stageIndexes(sealing, header, [{ pack, line }]);
  for (const blob of staged) await publishBlob(store, blob);
  return { ref: refs[0]!, recipients };
}

function indexesOf(stored: readonly StoredSnapshot[]): IndexRef[] {
  return stored.flatMap(({ parts }) => parts.indexes);
}

/** The repository's own, from any index that is left; without one a new one, and files are cut anew once. */
async function findSeed(store: Store, indexes: readonly IndexRef[]): Promise<Buffer> {
  const { seed } = await loadKnownChunks(store, indexes, new UsablePacks(store, [], new Set()));
  return seed ?? randomBytes(32);
}

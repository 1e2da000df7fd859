import { rename, stat } from 'node:fs/promises';
import { blobPath } from '../../oci/layout.ts';
import { publishBlob, readBlob, type StagedBlob, stageBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, readIndex, stageIndex } from '../../oci/layout-index.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import { unlessDamaged } from '../../support/unless-damaged.ts';
import type { Store } from '../seal/store.ts';
import { type LostSnapshot, loadEverySnapshot } from '../snapshot/catalog.ts';
import { encodeConfig } from '../snapshot/config.ts';
import { encodeNextIndex, startedOf } from '../snapshot/index-json.ts';
import { decodeManifest, encodeManifest, isSealedManifest, type Parts } from '../snapshot/manifest.ts';
import { configLimit, manifestLimit } from '../snapshot/media-types.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { asidePath } from './aside-path.ts';
import { type Described, describeLost, type LostFacts } from './describe-lost.ts';

/** What became of snapshots whose config is lost and whose manifest is whole. */
export interface RebuiltConfigs {
  /** Ids that they have now. */
  rebuilt: string[];
  /** Files of the manifests that named the lost configs. */
  setAside: string[];
}

/**
 * Writes a config anew for each of them, from what its manifest, its trees and other snapshots tell: marked as rebuilt,
 * incomplete and not signed. One that is sealed waits until the key is at hand.
 */
export async function rebuildConfigs(store: Store, { progress }: Context): Promise<RebuiltConfigs> {
  const { stored, damaged } = await loadEverySnapshot(store);
  const report: RebuiltConfigs = { rebuilt: [], setAside: [] };
  for (const lost of damaged) {
    const facts = await factsOf(store, lost);
    if (facts === undefined) continue;
    const what = `snapshot ${shortId(lost.id)}`;
    try {
      const described = await describeLost(store, stored, facts);
      const id = await rebuildConfig(store, stored, lost, { ...facts, ...described });
      report.rebuilt.push(id);
      report.setAside.push(asidePath(store, lost.manifest));
      progress.warn(
        `${what} is ${shortId(id)} now: its config was lost, and is written anew from what else is known`,
      );
      if (described.unnamed > 0) progress.warn(`${shortId(id)} ${wordsOf(described)}`);
    } catch (error) {
      if (!(error instanceof DamagedError || error instanceof SignatureError)) throw error;
      progress.warn(`the config of ${what} cannot be written anew: ${error.message}`);
    }
  }
  return report;
}

/**
 * What the manifest of a snapshot says whose config cannot be read; `undefined` when it is the manifest that is lost.
 */
export async function partsOfLost(store: Store, { manifest }: LostSnapshot): Promise<Parts | undefined> {
  const bytes = await unlessDamaged(() => readBlob(store, manifest, manifestLimit));
  const parts = bytes && (await unlessDamaged(async () => decodeManifest(bytes, `manifest ${manifest}`)));
  if (parts === undefined) return undefined;
  const config = await unlessDamaged(() => readBlob(store, parts.config.digest, configLimit));
  return config === undefined ? parts : undefined;
}

async function factsOf(store: Store, lost: LostSnapshot): Promise<LostFacts | undefined> {
  const parts = await partsOfLost(store, lost);
  if (parts === undefined) return undefined;
  const named = (await readIndex(store))?.manifests.find(({ digest }) => digest === lost.manifest);
  const written = (await stat(blobPath(store, lost.manifest))).mtime;
  const sealed = isSealedManifest(await readBlob(store, lost.manifest, manifestLimit));
  return { parts, sealed, started: startedOf(named?.annotations) ?? written };
}

function wordsOf({ snapshot: { recipients }, unnamed }: Described): string {
  const known = `names ${recipients.length} of the ${recipients.length + unnamed} recipients who may open it`;
  return `${known}: the keys of the others were not at hand. They open it all the same`;
}

/** Told the same way again if something kills it, until the old manifest is out of the way. */
async function rebuildConfig(
  store: Store,
  stored: StoredSnapshot[],
  lost: LostSnapshot,
  { parts: left, snapshot, repository, trees }: LostFacts & Described,
): Promise<string> {
  const { notes } = left;
  const config = await stageBlob(store, encodeConfig({ repository, snapshot, trees, notes: notes?.digest }));
  const parts = { ...left, config, signature: undefined };
  const manifest = await stageBlob(store, encodeManifest(parts, snapshot.recipients.length > 0));
  await publishBlob(store, config);
  const id = config.digest;
  await replaceLost(store, stored, lost, { snapshot: { id, ...snapshot }, manifest });
  return id;
}

async function replaceLost(
  store: Store,
  stored: readonly StoredSnapshot[],
  lost: LostSnapshot,
  rebuilt: { snapshot: Snapshot; manifest: StagedBlob },
): Promise<void> {
  await publishBlob(store, rebuilt.manifest);
  await syncBlobs(store);
  const others = stored.filter(({ snapshot }) => snapshot.id !== rebuilt.snapshot.id);
  await stageIndex(store, await encodeNextIndex(store, [...others, rebuilt], new Set([lost.manifest])));
  await rename(blobPath(store, lost.manifest), asidePath(store, lost.manifest));
  await syncBlobs(store);
  await publishIndex(store);
}

import type { Digest } from '../../oci/digest.ts';
import { blobSize, readBlob } from '../../oci/layout-blobs.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import { signatureNamespaces, sshSignatureFingerprint } from '../../support/ssh-signature.ts';
import { replaceManifest } from '../rewrite/reissue.ts';
import type { Store } from '../seal/store.ts';
import { signatureLimit } from '../signed/signed-config.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import { configLimit } from '../snapshot/media-types.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/**
 * Issues new manifests, without a signature, for snapshots that lost theirs: what they hold does not depend on who can
 * be shown to have made them.
 * @returns every snapshot as it is now, and the ids of these
 */
export async function goOnUnsigned(
  store: Store,
  all: readonly StoredSnapshot[],
  { progress }: Context,
): Promise<{ stored: StoredSnapshot[]; mended: string[] }> {
  let stored = [...all];
  const mended: string[] = [];
  for (const snapshot of all) {
    const { parts } = snapshot;
    const { signature } = parts;
    if (signature === undefined || (await blobSize(store, signature.digest)) === signature.size) continue;
    stored = await replaceManifest(store, stored, { ...snapshot, parts: { ...parts, signature: undefined } });
    mended.push(snapshot.snapshot.id);
    progress.warn(`snapshot ${shortId(snapshot.snapshot.id)} counts as not signed: its signature is lost`);
  }
  return { stored, mended };
}

/** Among blobs that no manifest names, the signature of a config whose manifest is lost. */
export async function findSignature(
  store: Store,
  orphans: readonly Digest[],
  id: Digest,
): Promise<BlobRef | undefined> {
  const config = await readBlob(store, id, configLimit);
  for (const digest of orphans) {
    const size = (await blobSize(store, digest)) ?? 0;
    if (size > signatureLimit) continue;
    try {
      const text = (await readBlob(store, digest, signatureLimit)).toString('latin1');
      if (!text.startsWith('-----BEGIN SSH SIGNATURE')) continue;
      await sshSignatureFingerprint(config, text, shortId(id), signatureNamespaces.snapshot);
      return { digest, size };
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof DamagedError)) throw error;
    }
  }
  return undefined;
}

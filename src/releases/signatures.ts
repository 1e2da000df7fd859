import type { Archive } from '../archive/archive.ts';
import { maxDocument } from '../archive/index/archive-files.ts';
import { concatenated } from '../archive/index/archive-index.ts';
import type { ImageIndex } from '../archive/index/image-index.ts';
import { releaseDocumentPath, releaseSignaturePath } from '../archive/index/release-document.ts';
import { SignatureError } from '../support/errors.ts';
import { type Signer, sshSignatureFingerprint, verifySshSignature } from '../support/ssh-signature.ts';

/** What a bundle brings to be checked: the exact bytes of its `release.json` and the signature beside it. */
export interface SignedRelease {
  document: Uint8Array;
  signature: Uint8Array | undefined;
}

/** What a bundle brings whose index is known; `undefined` of an archive that is none. */
export function signedIn({ release }: ImageIndex): SignedRelease | undefined {
  return release && { document: release.bytes, signature: release.signature };
}

/** What a bundle brings, read no further than to where it lies; `undefined` of an archive that is none. */
export async function signedRelease(archive: Archive): Promise<SignedRelease | undefined> {
  let document: Uint8Array | undefined;
  let signature: Uint8Array | undefined;
  for await (const { path, size, content } of archive.entries()) {
    if (size > maxDocument) continue;
    if (path === releaseDocumentPath) document = await concatenated(content());
    if (path === releaseSignaturePath) signature = await concatenated(content());
    if (document !== undefined && signature !== undefined) break;
  }
  return document && { document, signature };
}

/**
 * Decides whether what is in an archive may be loaded, before any of it is. Without allowed signers everything may;
 * with them, only a bundle whose release document one of them signed, and of that only what the document names.
 * @param signed `undefined` for an archive that is no bundle
 * @param signers path of an allowed-signers file, `undefined` when the deployment asks for none
 * @param what names the archive in errors
 * @returns who signed it; `undefined` when nobody has to
 * @throws {SignatureError} when it is unsigned, altered, or signed by somebody else
 */
export async function requireSigner(
  signed: SignedRelease | undefined,
  signers: string | undefined,
  what: string,
): Promise<Signer | undefined> {
  if (signers === undefined) return undefined;
  if (signed?.signature === undefined) {
    throw new SignatureError(`${what}: is not signed, and ${signers} says who must have`, {
      advice: 'Ask whoever made it for a signed bundle (dockerctl images save --sign KEY)',
      facts: { signers },
    });
  }
  return await verifySshSignature(signed.document, textOf(signed.signature), {
    allowedSigners: signers,
    what,
  });
}

/**
 * Who signed a bundle, by the key's fingerprint alone, whether or not anybody trusts it.
 * @throws {SignatureError} when the signature is not one over this document
 */
export async function fingerprintOf(signed: SignedRelease, what: string): Promise<string | undefined> {
  if (signed.signature === undefined) return undefined;
  return await sshSignatureFingerprint(signed.document, textOf(signed.signature), what);
}

function textOf(signature: Uint8Array): string {
  return Buffer.from(signature).toString('latin1');
}

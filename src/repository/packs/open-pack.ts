import { blobError } from '../../oci/blob-file.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { openBlob } from '../../oci/layout-blobs.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import { isSealed, sealedBeginning } from '../age/header.ts';
import { SealedFile } from '../age/sealed-file.ts';
import type { Store } from '../seal/store.ts';

/** A pack to read frames from, sealed or not. */
export interface OpenPack {
  /** The bytes from `offset` on, inside the seal: `length` of them, or fewer where it ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws {DamagedError} when it cannot be read @throws {SignatureError} when no key opens it */
export async function openPack(store: Store, pack: Digest): Promise<OpenPack> {
  const path = blobPath(store, pack);
  const file = await openBlob(store, pack).catch((error: unknown) => {
    throw blobError(path, error);
  });
  try {
    const isPlain = !isSealed(await file.read(0, sealedBeginning));
    const plain = isPlain ? file : await SealedFile.open(file, store.identities, `reading ${path}`);
    const read = (offset: number, length: number) => {
      store.throwIfInterrupted?.();
      return plain.read(offset, length);
    };
    return { read, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error instanceof SignatureError && hasOpenedIndex(store) ? damaged(path, error) : error;
  }
}

/** A pack is looked for by its index, which the same keys open, unless what is in there was known without any. */
function hasOpenedIndex({ identities, cache }: Store): boolean {
  return identities.length > 0 && cache === undefined;
}

function damaged(path: string, cause: Error): DamagedError {
  return new DamagedError(`reading ${path}: the key that opens its index does not open it`, {
    facts: { path },
    cause,
  });
}

import { type FileHandle, open } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { DamagedError, messageOf, SignatureError } from '../../support/errors.ts';
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
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new DamagedError(`reading ${path}: ${messageOf(error)}`, { facts: { path }, cause: error });
  });
  try {
    const read = (await beginsSealed(file)) ? await readSealed(file, store, path) : readPlain(file);
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

async function beginsSealed(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sealedBeginning), 0, sealedBeginning, 0);
  return isSealed(buffer.subarray(0, bytesRead));
}

async function readSealed(file: FileHandle, { identities }: Store, path: string): Promise<OpenPack['read']> {
  const sealed = await SealedFile.open(file, identities, `reading ${path}`);
  return (offset, length) => sealed.read(offset, length);
}

function readPlain(file: FileHandle): OpenPack['read'] {
  return async (offset, length) => {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  };
}

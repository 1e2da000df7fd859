import { type Archive, openArchive } from '../archive/archive.ts';
import type { ArchivedFile } from '../archive/index/archive-files.ts';
import { mustMatch } from '../archive/index/archive-index.ts';
import { type ImageIndex, readImages } from '../archive/index/image-index.ts';
import { layersLeftOut } from '../archive/index/release-document.ts';
import { type ArchiveInput, groupInputs } from '../archive/input.ts';
import { blobName, type Digest, digestNamed } from '../oci/digest.ts';
import type { Context } from '../support/context.ts';
import { DamagedError, DockerctlError, InterruptedError } from '../support/errors.ts';
import type { Signer } from '../support/ssh-signature.ts';
import { layersCutOff } from './load/plan/missing-layers.ts';
import { unverifiedLayers } from './load/plan/unverified-layers.ts';
import { PassedFiles } from './load/stream/passed-files.ts';
import { fingerprintOf, requireSigner, signedIn } from './signatures.ts';

export interface VerifiedArchive {
  archive: string;
  release: string | undefined;
  images: number;
  /** Layers that the archive gives no digest for: of them only the structure was checked. */
  unverified: number;
  /** Of files in the archive, decompressed. */
  bytes: number;
  /** Who signed it, when signers were asked for; else the key that did, trusted or not. */
  signer: Signer | undefined;
  signedBy: string | undefined;
}

export interface VerifyOptions {
  /** Path of an allowed-signers file: what they did not sign is refused. */
  signers?: string | undefined;
  /** Told of an archive that is not whole, or not theirs; the next one is then read. Without it that is thrown. */
  onFailure?: (error: DockerctlError) => void;
}

/**
 * Reads archives to their last byte and checks every digest they promise, without an engine. Those of `docker save` up
 * to 1.9 promise none for their layers.
 * @returns what is whole
 * @throws {DamagedError} naming the first damaged entry and where it lies
 * @throws {SignatureError} when a signature is missing or wrong
 */
export async function verifyArchives(
  inputs: readonly ArchiveInput[],
  options: VerifyOptions,
  context: Context,
): Promise<VerifiedArchive[]> {
  const verified: VerifiedArchive[] = [];
  for (const input of await groupInputs(inputs)) {
    try {
      verified.push(await verifyInput(input, options.signers, context));
    } catch (error) {
      const isToldOf = error instanceof DockerctlError && !(error instanceof InterruptedError);
      if (options.onFailure === undefined || !isToldOf) throw error;
      options.onFailure(error);
    }
  }
  return verified;
}

async function verifyInput(
  input: ArchiveInput,
  signers: string | undefined,
  { progress, signal }: Context,
): Promise<VerifiedArchive> {
  const name = typeof input === 'string' ? input : input.name;
  const task = progress.begin(`verifying ${name}`, { unit: 'bytes' });
  try {
    const archive = await openArchive(input, {
      onRead: (bytes) => task.advance(bytes),
      signal,
      inOrder: typeof input !== 'string' && 'volumes' in input,
    });
    try {
      const total = archive.seekable?.size ?? archive.size;
      if (total !== undefined) task.setTotal(total);
      const onRead = archive.seekable === undefined ? () => {} : (bytes: number) => task.advance(bytes);
      return await verifyArchive(archive, signers, onRead, signal);
    } finally {
      await archive.close();
    }
  } finally {
    task.end();
  }
}

async function verifyArchive(
  archive: Archive,
  signers: string | undefined,
  onRead: (bytes: number) => void,
  signal: AbortSignal,
): Promise<VerifiedArchive> {
  const { name, seekable } = archive;
  seekable?.expect([{ offset: 0, length: seekable.size }]);
  const passed = new PassedFiles(name);
  let bytes = 0;
  for await (const entry of archive.entries()) {
    for await (const piece of passed.take(entry)) {
      if (signal.aborted) throw new InterruptedError(`verifying ${name} was interrupted`);
      onRead(piece.length);
    }
    bytes += entry.size;
  }
  const index = await readImages(passed.files);
  checkFiles(passed, index, name);
  const signed = signedIn(index);
  const signer = await requireSigner(signed, signers, name);
  return {
    archive: name,
    release: index.release?.document.release,
    images: index.images.length,
    unverified: unverifiedLayers(index),
    bytes,
    signer,
    signedBy: signed && (await fingerprintOf(signed, name)),
  };
}

/** Checks what every file should be, in the order in which they lie in the archive. */
function checkFiles(passed: PassedFiles, index: ImageIndex, name: string): void {
  const promises = [...blobPromises(passed), ...layerPromises(passed, index, name)];
  for (const { file, digest, diffId } of promises.sort((a, b) => a.file.offset - b.file.offset)) {
    const found = passed.digestsOf(file);
    mustMatch(name, file, found.digest, digest ?? found.digest);
    mustMatch(name, file, found.diffId, diffId ?? found.diffId);
  }
  for (const { name: attachment, digest } of index.release?.document.attachments ?? []) {
    if (passed.files.find(blobName(digest)) === undefined) {
      throw new DamagedError(`${name}: the attachment ${attachment} is missing`);
    }
  }
}

interface FilePromise {
  file: ArchivedFile;
  digest?: Digest | undefined;
  diffId?: Digest | undefined;
}

/** A blob is named by its digest, whether or not anything refers to it. */
function blobPromises(passed: PassedFiles): FilePromise[] {
  return passed.allFiles().flatMap((file) => {
    const digest = digestNamed(file.path);
    return digest === undefined ? [] : [{ file, digest }];
  });
}

function layerPromises(passed: PassedFiles, index: ImageIndex, name: string): FilePromise[] {
  const leftOut = index.release === undefined ? new Set<Digest>() : layersLeftOut(index.release.document);
  return index.images
    .flatMap(({ layers }) => layers)
    .flatMap(({ diffId, digest, path }) => {
      if (path !== undefined) return [{ file: passed.files.file(path, 'a manifest'), digest, diffId }];
      if (leftOut.has(diffId)) return [];
      throw layersCutOff(name, [diffId]);
    });
}

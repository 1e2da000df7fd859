import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { bundleBytes } from '../../archive/bundle-writer.ts';
import { type BundleFormat, blockFormat } from '../../archive/compress/block-format.ts';
import { encodeReleaseDocument, type ReleaseDocument } from '../../archive/index/release-document.ts';
import { Spool } from '../../archive/spool.ts';
import type { Engine, ImageDetails } from '../../engine/engine.ts';
import type { Context } from '../../support/context.ts';
import { FailedError, InterruptedError } from '../../support/errors.ts';
import { requireSshKey, signWithSshKey } from '../../support/ssh-signature.ts';
import type { ReleaseRecord } from '../catalog/catalog.ts';
import { readAttachments } from './attachments.ts';
import { bundleDocuments, releaseDocumentOf } from './bundle-contents.ts';
import type { DeltaBase } from './delta.ts';
import { readEngineImages } from './read-engine-images.ts';
import { requireFileSize, requireRoom, spaceAdvice } from './space.ts';
import { type SaveTarget, writeTo } from './target.ts';
import { writeFailure } from './write-failure.ts';

export interface SaveRequest {
  /** Image references or ids. */
  images: readonly string[];
  /** The release that the bundle is to be. */
  release?: string | undefined;
  /** What the catalog knows of that release: the engine must still hold exactly that. */
  record?: ReleaseRecord | undefined;
  format: BundleFormat;
  level?: number | undefined;
  target: SaveTarget;
  /** Leave out what this receiver has. */
  base?: DeltaBase | undefined;
  /** An SSH private key that signs the release document. */
  signingKey?: string | undefined;
  /** Paths of files that travel with the release. */
  attachments?: readonly string[];
  /** Name and version of what writes the bundle. */
  tool: string;
}

export interface SavedBundle {
  document: ReleaseDocument;
  signed: boolean;
  /** Paths that were written; none for a stream. */
  files: string[];
  /** Bytes of the bundle. */
  size: number;
}

/**
 * Saves images from the engine as a bundle. The engine's stream is read once: layers are compressed as they pass and
 * set aside beside the target, then put in order behind the documents that name them.
 *
 * @throws {NotFoundError} when an image or an attachment does not exist
 * @throws {DamagedError} when the engine's stream contradicts itself
 * @throws {FailedError} when the engine no longer holds what the catalog says
 * @throws {SignatureError} when the key cannot sign
 * @throws {NoSpaceError} when there is surely too little room, or the disk is full half-way: nothing is left of the
 * attempt, and an older file of that name stays as it was
 */
export async function saveImages(
  engine: Engine,
  request: SaveRequest,
  context: Context,
): Promise<SavedBundle> {
  const { target } = request;
  const directory = target.kind === 'stream' ? tmpdir() : dirname(target.path);
  const places = target.kind === 'stream' ? `${directory}, or where the stream goes` : directory;
  const spool = new Spool(directory);
  try {
    return await save(engine, request, { spool, directory }, context);
  } catch (error) {
    throw context.signal.aborted
      ? interrupted(error)
      : writeFailure(error, 'saving images', places, spaceAdvice);
  } finally {
    await spool.close();
  }
}

async function save(
  engine: Engine,
  request: SaveRequest,
  { spool, directory }: { spool: Spool; directory: string },
  context: Context,
): Promise<SavedBundle> {
  const format = await blockFormat(request.format, request.level);
  const attachments = await readAttachments(request.attachments ?? []);
  if (request.signingKey !== undefined) await requireSshKey(request.signingKey);
  const admit = async (held: readonly ImageDetails[]) => {
    await requireRoom(directory, held, request.format);
    if (request.target.kind === 'file') await requireFileSize(directory, held, request.format);
  };
  const source = { images: request.images, base: request.base, format, spool, admit };
  const { images, layers, leftOut } = await readEngineImages(engine, source, context);
  requireCatalogued(images, request.record);
  const base = leftOut.length === 0 ? undefined : { release: request.base?.release, layers: leftOut };
  const description = { tool: request.tool, release: request.release, images, base, attachments };
  const document = releaseDocumentOf(description);
  const signature = await signed(document, request.signingKey);
  const documents = bundleDocuments(document, signature, description);
  const bytes = bundleBytes({ documents, layers }, format, spool);
  const { target } = request;
  const title = target.kind === 'stream' ? 'writing' : `writing ${target.path}`;
  const { files, size } = await writeTo(target, bytes, title, context);
  return { document, signed: signature !== undefined, files, size };
}

/** A tag may have moved since the release was loaded: what is saved under its name must still be it. */
function requireCatalogued(
  images: readonly { image: { references: string[]; config: { digest: string } } }[],
  record: ReleaseRecord | undefined,
): void {
  const saved = new Set(images.map(({ image }) => image.config.digest));
  for (const { config, references } of record?.images ?? []) {
    if (saved.has(config)) continue;
    throw new FailedError(
      `saving release ${record?.release}: the engine's ${references[0] ?? config} is not the image of that release`,
      { advice: 'Load the release again, or save the images by name', facts: { config, references } },
    );
  }
}

async function signed(document: ReleaseDocument, key: string | undefined): Promise<string | undefined> {
  return key === undefined ? undefined : await signWithSshKey(encodeReleaseDocument(document), key);
}

function interrupted(cause: unknown): InterruptedError {
  return new InterruptedError('saving images was interrupted: nothing was written', { cause });
}

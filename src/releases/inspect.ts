import { type Archive, openArchive } from '../archive/archive.ts';
import type { Codec } from '../archive/codec.ts';
import type { ArchiveImage, ImageIndex } from '../archive/index/image-index.ts';
import { indexOneWay } from '../archive/index/one-way-index.ts';
import { type Attachment, layersLeftOut, type ReleaseBase } from '../archive/index/release-document.ts';
import { type ArchiveInput, groupInputs } from '../archive/input.ts';
import type { Engine } from '../engine/engine.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Context } from '../support/context.ts';
import { EngineUnreachableError } from '../support/errors.ts';
import type { Catalog } from './catalog/catalog.ts';
import { engineImages } from './engine-images.ts';
import { heldImage } from './holdings/held-image.ts';
import { type Holdings, holdingsOf } from './holdings/holdings.ts';
import { storedImages } from './holdings/stored-images.ts';
import type { ImageHost } from './image-host.ts';
import { compressionOf } from './load/stream/documents.ts';
import { seekableIndex } from './seekable-index.ts';
import { fingerprintOf, signedIn } from './signatures.ts';

/** What an archive holds, told without loading anything. */
export interface InspectedArchive {
  archive: string;
  format: Codec;
  /** Bytes of the file; `undefined` for a stream. */
  size: number | undefined;
  era: ImageIndex['era'];
  release: string | undefined;
  /** The key that signed it, whether or not anybody trusts it. */
  signedBy: string | undefined;
  base: ReleaseBase | undefined;
  images: InspectedImage[];
  /** Named by the archive, but not in it. */
  absent: { references: string[]; platform: Platform | undefined }[];
  attachments: Attachment[];
}

export interface InspectedImage {
  references: string[];
  platform: Platform;
  config: Digest;
  /** Of its layers in the archive. */
  bytes: number;
  /** Whether this host's engine has it; `undefined` when there is no engine to ask. */
  present: boolean | undefined;
  layers: { diffId: Digest; size: number; inArchive: boolean; present: boolean | undefined }[];
}

/**
 * Reads what archives hold. An engine is asked, when there is one, what of it this host has already; layers are not
 * read.
 * @throws {DamagedError} when an archive's entries or documents are wrong
 */
export async function inspectArchives(
  inputs: readonly ArchiveInput[],
  { engine, catalog }: ImageHost,
  context: Context,
): Promise<InspectedArchive[]> {
  const host = await hostOf(engine, catalog, context);
  const archives: InspectedArchive[] = [];
  for (const input of await groupInputs(inputs)) archives.push(await inspectArchive(input, host, context));
  return archives;
}

async function inspectArchive(
  input: ArchiveInput,
  host: Host | undefined,
  context: Context,
): Promise<InspectedArchive> {
  const task = context.progress.begin('reading the archive', { unit: 'bytes' });
  const archive = await openArchive(input, {
    onRead: (bytes) => task.advance(bytes),
    signal: context.signal,
    now: context.now,
  });
  try {
    if (archive.seekable === undefined && archive.size !== undefined) task.setTotal(archive.size);
    const { index } =
      (await seekableIndex(archive, context)) ?? (await indexOneWay(archive, { stopAtLayers: true }));
    return await inspected(archive, index, await host?.(index.images));
  } finally {
    await archive.close();
    task.end();
  }
}

async function inspected(
  { name, codec, size }: Archive,
  index: ImageIndex,
  holdings: Holdings | undefined,
): Promise<InspectedArchive> {
  const { era, release } = index;
  const signed = signedIn(index);
  const absent = index.absent.map(({ references, descriptor }) => {
    return { references, platform: descriptor.platform ?? undefined };
  });
  return {
    archive: name,
    format: codec,
    size,
    era,
    release: release?.document.release,
    signedBy: signed && (await fingerprintOf(signed, name)),
    base: release?.document.base,
    images: index.images.map((image) => inspectedImage(image, index, holdings)),
    absent,
    attachments: release?.document.attachments ?? [],
  };
}

function inspectedImage(
  image: ArchiveImage,
  { release }: ImageIndex,
  holdings: Holdings | undefined,
): InspectedImage {
  const leftOut = release && layersLeftOut(release.document);
  const own = image.layers.map(({ diffId, digest = diffId, size, mediaType }) => {
    return { name: '', digest, size, compression: compressionOf(mediaType), diffId };
  });
  const here = holdings && heldImage(image, own, holdings);
  const present = here && here.held !== undefined;
  return {
    references: image.references,
    platform: image.platform,
    config: image.config.digest,
    bytes: image.layers.reduce((sum, { size }) => sum + size, 0),
    present,
    layers: image.layers.map(({ diffId, size, path }, i) => ({
      diffId,
      size,
      inArchive: leftOut === undefined ? path !== undefined : !leftOut.has(diffId),
      present: present || (here && !here.lacking.has(i)),
    })),
  };
}

/** Tells what this host's engine has of images. */
type Host = (images: readonly ArchiveImage[]) => Promise<Holdings>;

/** @returns `undefined` when no engine answers: inspecting an archive does not need one */
async function hostOf(engine: Engine, catalog: Catalog, { signal }: Context): Promise<Host | undefined> {
  try {
    const info = await engine.info();
    const [held, known] = await Promise.all([engineImages(engine, info), catalog.releases()]);
    return async (images) => {
      const wanted = { images, release: undefined };
      return holdingsOf(held, known, await storedImages(held, known, wanted, { engine, info, signal }));
    };
  } catch (error) {
    if (error instanceof EngineUnreachableError) return undefined;
    throw error;
  }
}

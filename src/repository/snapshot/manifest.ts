import { type Descriptor, isDescriptor, type Manifest, mediaTypes } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { annotations, backupTypes, sealedSuffix } from './media-types.ts';

/** What a snapshot consists of. Packs are the same objects wherever they are named. */
export interface Parts {
  config: BlobRef;
  packs: PackRef[];
  indexes: IndexRef[];
  trees: TreeRef[];
  /** The warnings, when there were any. */
  notes: BlobRef | undefined;
  /** Made over the config, by the host; never sealed. */
  signature?: BlobRef | undefined;
  /** It was made elsewhere: where it says that content is, somebody said who may have lied. */
  carried?: true | undefined;
}

/** Every blob of a snapshot but its manifest, each once. What tells whether to take the rest comes first. */
export function blobsOfParts({ config, signature, packs, indexes, trees, notes }: Parts): BlobRef[] {
  const some = (blob: BlobRef | undefined) => (blob === undefined ? [] : [blob]);
  const all = [config, ...some(signature), ...packs, ...indexes, ...trees, ...some(notes)];
  return [...new Map(all.map(({ digest, size }) => [digest, { digest, size }])).values()];
}

export interface BlobRef {
  digest: Digest;
  /** Bytes of its file. */
  size: number;
}

export interface PackRef extends BlobRef {
  source: string;
}

/** One segment of a source's tree, and the packs that hold the chunks it names. */
export interface TreeRef extends BlobRef {
  source: string;
  packs: PackRef[];
}

/** An index, and which of the snapshot's packs it tells of. */
export interface IndexRef extends BlobRef {
  packs: PackRef[];
}

/** @param sealed whether every blob but the config and its signature is in an age file */
export function encodeManifest(
  { config, packs, indexes, trees, notes, signature, carried }: Parts,
  sealed: boolean,
): Buffer {
  const position = new Map(packs.map((pack, i) => [pack.digest, i]));
  const positions = (named: PackRef[]) => named.map(({ digest }) => position.get(digest)).join(' ');
  const suffix = sealed ? sealedSuffix : '';
  const layers: Descriptor[] = [
    ...packs.map((pack) => describe(backupTypes.pack + suffix, pack, { [annotations.source]: pack.source })),
    ...indexes.map((index) => {
      return describe(backupTypes.index + suffix, index, { [annotations.packs]: positions(index.packs) });
    }),
    ...trees.map((tree) => {
      const noted = { [annotations.source]: tree.source, [annotations.packs]: positions(tree.packs) };
      return describe(backupTypes.tree + suffix, tree, noted);
    }),
    ...(notes === undefined ? [] : [describe(backupTypes.notes + suffix, notes)]),
    ...(signature === undefined ? [] : [describe(backupTypes.signature, signature)]),
  ];
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: backupTypes.snapshot,
    config: describe(backupTypes.config, config),
    layers,
    ...(carried && { annotations: { [annotations.carried]: 'true' } }),
  };
  return Buffer.from(JSON.stringify(manifest));
}

function describe(mediaType: string, { digest, size }: BlobRef, noted?: Record<string, string>): Descriptor {
  return { mediaType, digest, size, ...(noted !== undefined && { annotations: noted }) };
}

/**
 * Reads a manifest whose digest was checked.
 * @throws {DamagedError} naming `where` when it is no snapshot of ours
 */
export function decodeManifest(bytes: Uint8Array, where: string): Parts {
  const manifest = parse(bytes, where);
  const { layers } = manifest;
  const carried = manifest.annotations?.[annotations.carried] !== undefined;
  const packs = new Map<number, PackRef>();
  for (const [position, layer] of layers.entries()) {
    if (isOfType(layer, backupTypes.pack)) packs.set(position, { ...blob(layer), source: sourceOf(layer) });
  }
  const ofType = (type: string) => layers.filter((layer) => isOfType(layer, type));
  const named = (layer: Descriptor) => packsOf(layer, packs, where);
  return {
    config: blob(manifest.config),
    packs: [...packs.values()],
    indexes: ofType(backupTypes.index).map((layer) => ({ ...blob(layer), packs: named(layer) })),
    trees: ofType(backupTypes.tree).map((layer) => {
      return { ...blob(layer), source: sourceOf(layer), packs: named(layer) };
    }),
    notes: ofType(backupTypes.notes).map(blob)[0],
    signature: ofType(backupTypes.signature).map(blob)[0],
    ...(carried && { carried }),
  };
}

/** Whether the manifest of a snapshot says that its blobs are sealed. */
export function isSealedManifest(bytes: Uint8Array): boolean {
  return parse(bytes, 'a manifest').layers.some(({ mediaType }) => mediaType.endsWith(sealedSuffix));
}

function parse(bytes: Uint8Array, where: string): Manifest {
  let manifest: Partial<Manifest> | null = null;
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new DamagedError(`reading ${where}: ${messageOf(cause)}`, { cause });
  }
  const { artifactType, config, layers } = manifest ?? {};
  if (artifactType === backupTypes.snapshot && isDescriptor(config) && Array.isArray(layers)) {
    if (layers.every(isDescriptor) && layers.every(isAnnotated)) return manifest as Manifest;
  }
  throw new DamagedError(`reading ${where}: it is not the manifest of a snapshot`);
}

/** Whether what is noted of a layer, if anything, is text. */
function isAnnotated({ annotations = {} }: Descriptor): boolean {
  if (annotations === null || typeof annotations !== 'object') return false;
  return Object.values(annotations).every((value) => typeof value === 'string');
}

/** Sealed or not. */
function isOfType({ mediaType }: Descriptor, type: string): boolean {
  return mediaType === type || mediaType === type + sealedSuffix;
}

function blob({ digest, size }: Descriptor): BlobRef {
  return { digest, size };
}

function sourceOf(layer: Descriptor): string {
  return layer.annotations?.[annotations.source] ?? '';
}

function packsOf(layer: Descriptor, packs: Map<number, PackRef>, where: string): PackRef[] {
  const positions = (layer.annotations?.[annotations.packs] ?? '').split(' ').filter((text) => text !== '');
  return positions.map((position) => {
    const pack = packs.get(Number(position));
    if (pack !== undefined) return pack;
    throw new DamagedError(`reading ${where}: ${layer.digest} needs layer ${position}, which is no pack`);
  });
}

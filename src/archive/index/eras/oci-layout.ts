import type { Descriptor, Platform } from '../../../oci/descriptor.ts';
import { mediaTypes } from '../../../oci/descriptor.ts';
import { blobName, digestOf } from '../../../oci/digest.ts';
import { DamagedError } from '../../../support/errors.ts';
import type { ArchiveFiles } from '../archive-files.ts';
import { parseJson } from '../archive-files.ts';
import { checked, imageConfig, index, manifest } from '../documents.ts';
import type { ArchiveImage } from '../image-index.ts';
import { familiarReference, isReference } from '../reference.ts';

/** An image that an index names and the archive does not hold. */
export interface AbsentImage {
  references: string[];
  descriptor: Descriptor;
}

/** Indexes in indexes: two levels are in use. */
const maxDepth = 4;

/** Images and platforms that one archive may name. */
const maxManifests = 10_000;

/** The images that `index.json` leads to (OCI Image Format 1.1, "Image Layout"), attestations left out. */
export async function imagesOfOciLayout(
  files: ArchiveFiles,
): Promise<{ images: ArchiveImage[]; absent: AbsentImage[] }> {
  const found: { images: Map<string, ArchiveImage>; absent: AbsentImage[]; count: number } = {
    images: new Map(),
    absent: [],
    count: 0,
  };
  const top = checked(
    index,
    await files.json(files.file('index.json', 'the archive')),
    `${files.name}: index.json`,
  );
  await walk(files, top.manifests, [], 1, found);
  return { images: [...found.images.values()], absent: found.absent };
}

async function walk(
  files: ArchiveFiles,
  descriptors: readonly Descriptor[],
  inherited: string[],
  depth: number,
  found: { images: Map<string, ArchiveImage>; absent: AbsentImage[]; count: number },
): Promise<void> {
  if (depth > maxDepth)
    throw new DamagedError(`${files.name}: index.json leads more than ${maxDepth} indexes deep`);
  for (const descriptor of descriptors) {
    if (isAttestation(descriptor)) continue;
    found.count += 1;
    if (found.count > maxManifests)
      throw new DamagedError(`${files.name}: names more than ${maxManifests} manifests`);
    const references = [...new Set([...inherited, ...referencesOf(descriptor)])];
    const bytes = await blob(files, descriptor);
    if (bytes === undefined) {
      found.absent.push({ references, descriptor });
      continue;
    }
    const where = `${files.name}: ${pathOf(descriptor)}`;
    const document = parseJson(bytes, where);
    if (isIndex(descriptor, document)) {
      await walk(files, checked(index, document, where).manifests, references, depth + 1, found);
      continue;
    }
    const known = found.images.get(descriptor.digest);
    if (known !== undefined) {
      known.references = [...new Set([...known.references, ...references])];
      continue;
    }
    const image = await readManifest(files, descriptor, { bytes, document }, references, where);
    if (image === 'absent') found.absent.push({ references, descriptor });
    else if (image !== undefined) found.images.set(descriptor.digest, image);
  }
}

/** @returns `undefined` for what is no image (artifacts), `absent` when its config is not in the archive */
async function readManifest(
  files: ArchiveFiles,
  descriptor: Descriptor,
  { bytes, document }: { bytes: Uint8Array; document: unknown },
  references: string[],
  where: string,
): Promise<ArchiveImage | 'absent' | undefined> {
  const { config, layers, artifactType, mediaType } = checked(manifest, document, where);
  if (artifactType !== undefined || !isConfig(config)) return undefined;
  const configBytes = await blob(files, config);
  if (configBytes === undefined) return 'absent';
  const at = `${files.name}: ${pathOf(config)}`;
  const { os, architecture, variant, rootfs } = checked(imageConfig, parseJson(configBytes, at), at);
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const image = { references, platform, config: { digest: config.digest, bytes: configBytes } };
  // Docker 25.0.0 wrote manifests without layers beside a manifest.json that has them.
  if (layers.length === 0 && rootfs.diff_ids.length > 0 && files.find('manifest.json') !== undefined) {
    return { ...image, layers: [] };
  }
  if (layers.length !== rootfs.diff_ids.length) {
    throw new DamagedError(
      `${where}: has ${layers.length} layers, but its config has ${rootfs.diff_ids.length} diff ids`,
    );
  }
  const type = descriptor.mediaType || mediaType || mediaTypes.manifest;
  return {
    ...image,
    manifest: { descriptor: { ...descriptor, mediaType: type }, bytes },
    layers: layers.map((layer, i) => ociLayer(files, layer, rootfs.diff_ids[i]!)),
  };
}

function ociLayer(files: ArchiveFiles, layer: Descriptor, diffId: ArchiveImage['layers'][number]['diffId']) {
  const file = files.find(pathOf(layer));
  if (file !== undefined && (file.kind !== 'file' || file.size !== layer.size)) {
    throw new DamagedError(
      `${files.name}: ${pathOf(layer)} has ${file.size} bytes, should have ${layer.size}`,
      {
        facts: { path: pathOf(layer), offset: file.offset, got: file.size, want: layer.size },
      },
    );
  }
  return { diffId, path: file?.path, digest: layer.digest, size: layer.size, mediaType: layer.mediaType };
}

/**
 * The bytes of a document that a descriptor names, checked against it; `undefined` when the archive has no such file.
 */
async function blob(files: ArchiveFiles, descriptor: Descriptor): Promise<Uint8Array | undefined> {
  const file = files.find(pathOf(descriptor));
  if (file === undefined) return undefined;
  const bytes = await files.bytes(file);
  const got = digestOf(bytes);
  if (got === descriptor.digest && bytes.length === descriptor.size) return bytes;
  throw new DamagedError(
    `${files.name}: ${file.path}: its bytes have digest ${got} and size ${bytes.length}`,
    {
      facts: { path: file.path, offset: file.offset, got, want: descriptor.digest },
    },
  );
}

function pathOf(descriptor: Descriptor): string {
  return blobName(descriptor.digest);
}

function isIndex(descriptor: Descriptor, document: unknown): boolean {
  if (descriptor.mediaType === mediaTypes.index || descriptor.mediaType === mediaTypes.dockerIndex)
    return true;
  return typeof document === 'object' && document !== null && 'manifests' in document;
}

function isConfig(config: Descriptor): boolean {
  return /^application\/vnd\.(oci\.image\.config|docker\.container\.image)\.v1\+json$/.test(config.mediaType);
}

/** BuildKit's attestations: a manifest for no platform, tied to the image it is about. */
function isAttestation({
  platform,
  annotations,
}: {
  platform?: Platform | null;
  annotations?: object | null;
}): boolean {
  if (platform?.os === 'unknown' && platform.architecture === 'unknown') return true;
  return annotations != null && 'vnd.docker.reference.type' in annotations;
}

/**
 * containerd writes the whole name into an annotation of its own; skopeo and podman use the OCI one for name or tag.
 */
function referencesOf({ annotations }: Descriptor): string[] {
  const names = [
    annotations?.['io.containerd.image.name'],
    annotations?.['org.opencontainers.image.ref.name'],
  ];
  const name = names.find((candidate) => candidate !== undefined && isReference(candidate));
  return name === undefined ? [] : [familiarReference(name, 'index.json')];
}

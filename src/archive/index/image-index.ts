import type { Descriptor, Platform } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { DamagedError, UsageError } from '../../support/errors.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { imagesOfDockerManifest } from './eras/docker-manifest.ts';
import { imagesOfRepositories } from './eras/legacy-repositories.ts';
import { type AbsentImage, imagesOfOciLayout } from './eras/oci-layout.ts';
import { familiarReference } from './reference.ts';
import {
  parseReleaseDocument,
  type ReleaseDocument,
  releaseDocumentPath,
  releaseSignaturePath,
} from './release-document.ts';

/** What an archive says it holds, whichever era wrote it. */
export interface ImageIndex {
  era: 'legacy' | 'docker' | 'oci';
  images: ArchiveImage[];
  /** Named by an index, but not in the archive: the other platforms of a multi-platform image, or a cut archive. */
  absent: AbsentImage[];
  /** Of a bundle: its first entry, and the signature of exactly these bytes. */
  release?: { document: ReleaseDocument; bytes: Uint8Array; signature: Uint8Array | undefined };
}

export interface ArchiveImage {
  /** `name:tag`, as Docker shows them (`docker.io/library/` left out). */
  references: string[];
  platform: Platform;
  config: { digest: Digest; bytes: Uint8Array };
  /** Lowest first. */
  layers: ArchiveLayer[];
  /** The OCI or Docker manifest that the archive carries for it. */
  manifest?: { descriptor: Descriptor; bytes: Uint8Array };
}

export interface ArchiveLayer {
  /** Digest of the uncompressed tar. */
  diffId: Digest;
  /** The entry that holds it; `undefined` when the archive does not. */
  path: string | undefined;
  /** Digest of the bytes as they lie in the archive, when a manifest says so. */
  digest: Digest | undefined;
  /** Bytes as they lie in the archive. */
  size: number;
  /** As the manifest says; for docker layouts, which do not, `undefined`. */
  mediaType: string | undefined;
}

/**
 * Reads what images an archive holds, and checks that its documents agree with each other. Layers are not read, but for
 * those of archives from before 1.10, whose documents do not name their digests.
 * @throws {DamagedError} when a document is missing, malformed, not what its digest says, or contradicts another
 * @throws {UsageError} for the root file system that `docker export` writes
 */
export async function readImages(files: ArchiveFiles): Promise<ImageIndex> {
  const index = await readEra(files);
  const release = await readRelease(files);
  return release === undefined
    ? index
    : { ...index, images: released(index.images, release.document, files.name), release };
}

async function readEra(files: ArchiveFiles): Promise<ImageIndex> {
  const docker = files.find('manifest.json') === undefined ? undefined : await imagesOfDockerManifest(files);
  if (files.find('index.json') !== undefined) {
    const oci = await imagesOfOciLayout(files);
    if (docker === undefined) return { era: 'oci', ...oci };
    return { era: 'docker', images: merged(docker, oci.images, files.name), absent: [] };
  }
  if (docker !== undefined) return { era: 'docker', images: docker, absent: [] };
  if (files.find('repositories') !== undefined) {
    return { era: 'legacy', images: await imagesOfRepositories(files), absent: [] };
  }
  throw noImages(files);
}

/**
 * An archive with both documents: `manifest.json` says which images there are and what they are called, `index.json`
 * adds the manifest of each, unless it is one of those that Docker 25.0.0 wrote without layers.
 */
function merged(docker: ArchiveImage[], oci: ArchiveImage[], name: string): ArchiveImage[] {
  const byConfig = new Map(oci.map((image) => [image.config.digest, image]));
  return docker.map((image) => {
    const other = byConfig.get(image.config.digest);
    if (other === undefined) {
      const called = image.references[0] ?? image.config.digest;
      throw new DamagedError(
        `${name}: manifest.json and index.json disagree: only the first one names ${called}`,
      );
    }
    if (other.layers.length !== image.layers.length || other.manifest === undefined) return image;
    return { ...image, layers: other.layers, manifest: other.manifest };
  });
}

async function readRelease(files: ArchiveFiles): Promise<ImageIndex['release']> {
  const file = files.find(releaseDocumentPath);
  if (file === undefined) return undefined;
  const bytes = await files.bytes(file);
  const document = parseReleaseDocument(bytes, `${files.name}: ${releaseDocumentPath}`);
  const signed = files.find(releaseSignaturePath);
  return { document, bytes, signature: signed && (await files.bytes(signed)) };
}

/** In a bundle the release document decides: what it does not name is passed over, what it names must be as it says. */
function released(images: ArchiveImage[], document: ReleaseDocument, name: string): ArchiveImage[] {
  return document.images.map((promised) => {
    const image = images.find(({ config }) => config.digest === promised.config.digest);
    const called = promised.references[0] ?? promised.config.digest;
    const layers = promised.layers.map(({ digest }) => digest);
    if (
      image === undefined ||
      !sameList(
        layers,
        image.layers.map(({ diffId }) => diffId),
      )
    ) {
      throw new DamagedError(`${name}: ${called} is not as ${releaseDocumentPath} says`);
    }
    return {
      ...image,
      references: promised.references.map((reference) => familiarReference(reference, name)),
    };
  });
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function noImages(files: ArchiveFiles): Error {
  const has = (path: string) => files.find(path) !== undefined;
  if (has('etc') && (has('bin') || has('usr'))) {
    return new UsageError(
      `${files.name}: is the file system of a container (docker export), not an image archive`,
      {
        advice: 'Make one with docker save, or import this one with docker import',
      },
    );
  }
  return new DamagedError(`${files.name}: has neither manifest.json nor index.json nor repositories`, {
    advice: 'It was cut short, or it is not an image archive',
  });
}

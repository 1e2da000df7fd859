import type { Descriptor, Index } from '../../oci/descriptor.ts';
import { isDescriptor } from '../../oci/descriptor.ts';
import { blobName, digestOf } from '../../oci/digest.ts';
import { layoutVersion } from '../../oci/layout.ts';
import { encodeIndex } from '../../oci/layout-index.ts';
import { DamagedError } from '../../support/errors.ts';
import { lockNames } from '../locks.ts';
import { encodeSnapshotIndex } from '../snapshot/index-json.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import type { Outgoing } from './outgoing.ts';

/** A snapshot as files of a repository, for programs that carry files and know nothing else. Paths are relative. */
export interface SnapshotFiles {
  /** Everything but the manifest. */
  blobs: CarriedFile[];
  /** The commit: to be carried when all blobs are there. */
  manifest: CarriedFile;
  /** The text of `oci-layout`. */
  layout: string;
  /**
   * The text of `index.json`, which goes last, with what is in the one that is there.
   * @throws {DamagedError} when that is not one of a repository
   */
  index(there: string | undefined): string;
  /** Whether an `index.json` names this very manifest. */
  isIn(there: string | undefined): boolean;
}

/** A blob, and its path in every repository. */
export interface CarriedFile {
  path: string;
  blob: BlobRef;
}

/** Names at the top of a repository; whatever has others is none. */
export const repositoryNames: ReadonlySet<string> = new Set([
  ...['oci-layout', 'index.json', 'blobs', 'tmp', ...Object.values(lockNames), 'reserve', 'lost+found'],
]);

/** How a snapshot lies in the repository that it is sent to. `index` and `isIn` read what is there. */
export function asFiles({ snapshot, manifest, blobs }: Outgoing): SnapshotFiles {
  const ref: BlobRef = { digest: digestOf(manifest), size: manifest.length };
  const [own] = parse(encodeSnapshotIndex([{ snapshot, manifest: ref }]));
  return {
    blobs: blobs.map(carried),
    manifest: carried(ref),
    layout: layoutVersion,
    index: (there) => encodeIndex(merged(there === undefined ? [] : parse(there), own!)),
    isIn: (there) => there !== undefined && parse(there).some(({ digest }) => digest === ref.digest),
  };
}

function carried({ digest, size }: BlobRef): CarriedFile {
  return { path: blobName(digest), blob: { digest, size } };
}

function parse(text: string): Descriptor[] {
  const manifests = manifestsOf(text);
  if (manifests?.every(isDescriptor)) return manifests;
  throw new DamagedError('the index.json there is not one of a repository', {
    advice: 'Run dockerctl backup repair on that repository; if it is no repository, move that file away',
  });
}

function manifestsOf(text: string): Descriptor[] | undefined {
  try {
    const { manifests } = JSON.parse(text) as Partial<Index>;
    return Array.isArray(manifests) ? manifests : undefined;
  } catch {
    return undefined;
  }
}

/** Oldest first, each snapshot once, whatever its manifest was before. */
function merged(there: readonly Descriptor[], own: Descriptor): Descriptor[] {
  const name = ({ annotations }: Descriptor) => annotations?.['org.opencontainers.image.ref.name'];
  const created = ({ annotations }: Descriptor) => annotations?.['org.opencontainers.image.created'] ?? '';
  return [...there.filter((other) => name(other) !== name(own)), own].sort((a, b) =>
    created(a) < created(b) ? -1 : 1,
  );
}

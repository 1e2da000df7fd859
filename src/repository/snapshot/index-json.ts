import { type Descriptor, mediaTypes } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Layout } from '../../oci/layout.ts';
import { encodeIndex, readIndex } from '../../oci/layout-index.ts';
import type { BlobRef } from './manifest.ts';
import { backupTypes } from './media-types.ts';
import { shortId } from './short-id.ts';
import type { Snapshot } from './snapshot.ts';

/** What `index.json` says of a snapshot: all of it is in the snapshot's own blobs too. */
export interface Indexed {
  snapshot: Pick<Snapshot, 'id' | 'started'>;
  manifest: BlobRef;
}

/** The text of `index.json` for these snapshots, oldest first. */
export function encodeSnapshotIndex(snapshots: readonly Indexed[]): string {
  return encodeIndex(snapshots.map(describeSnapshot));
}

/**
 * The same, and what the present `index.json` names that nobody can read: that it is named is how it is missed, and how
 * it is found again.
 * @param replaced manifests that shall not be named any more
 */
export async function encodeNextIndex(
  layout: Layout,
  snapshots: readonly Indexed[],
  replaced: ReadonlySet<Digest> = new Set(),
): Promise<string> {
  const known = new Set(snapshots.map(({ snapshot }) => shortId(snapshot.id)));
  const manifests = new Set([...snapshots.map(({ manifest }) => manifest.digest), ...replaced]);
  const present = (await readIndex(layout))?.manifests ?? [];
  const lost = present.filter(({ digest }) => !manifests.has(digest)).flatMap(parseSnapshot);
  const all = [...snapshots, ...lost.filter(({ snapshot }) => !known.has(shortId(snapshot.id)))];
  return encodeSnapshotIndex(all.sort((a, b) => a.snapshot.started.getTime() - b.snapshot.started.getTime()));
}

function parseSnapshot({ digest, size, annotations }: Descriptor): Indexed[] {
  const id = `sha256:${annotations?.[named.id] ?? ''}`;
  const started = startedOf(annotations);
  if (shortId(id) === '' || started === undefined) return [];
  return [{ snapshot: { id, started }, manifest: { digest, size } }];
}

/** When a snapshot began that `index.json` names, if it says so. */
export function startedOf(annotations: Record<string, string> | undefined): Date | undefined {
  const started = new Date(annotations?.[named.started] ?? '');
  return Number.isNaN(started.getTime()) ? undefined : started;
}

function describeSnapshot({ snapshot, manifest }: Indexed): Descriptor {
  return {
    mediaType: mediaTypes.manifest,
    digest: manifest.digest,
    size: manifest.size,
    artifactType: backupTypes.snapshot,
    annotations: {
      [named.started]: snapshot.started.toISOString(),
      [named.id]: shortId(snapshot.id),
    },
  };
}

const named = {
  id: 'org.opencontainers.image.ref.name',
  started: 'org.opencontainers.image.created',
} as const;

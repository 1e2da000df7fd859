import { type Descriptor, mediaTypes } from '../../oci/descriptor.ts';
import { encodeIndex } from '../../oci/layout-index.ts';
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

function describeSnapshot({ snapshot, manifest }: Indexed): Descriptor {
  return {
    mediaType: mediaTypes.manifest,
    digest: manifest.digest,
    size: manifest.size,
    artifactType: backupTypes.snapshot,
    annotations: {
      'org.opencontainers.image.created': snapshot.started.toISOString(),
      'org.opencontainers.image.ref.name': shortId(snapshot.id),
    },
  };
}

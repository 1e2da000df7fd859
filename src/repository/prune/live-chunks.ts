import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { ChunkTable } from '../chunks/table.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';

/**
 * Every chunk that the trees of these snapshots name.
 * @throws {DamagedError} when a tree cannot be read: what it names is not known
 * @throws {SignatureError} when no key opens it
 */
export async function liveChunks(store: Store, stored: readonly StoredSnapshot[]): Promise<ChunkTable> {
  const live = new ChunkTable();
  const segments = new Map<Digest, TreeRef>(
    stored.flatMap(({ parts }) => parts.trees.map((tree) => [tree.digest, tree] as const)),
  );
  for await (const segment of readSegments(store, [...segments.values()])) {
    if (segment instanceof DamagedError) throw segment;
    for (const { chunks = [] } of segment.entries) {
      for (const chunk of chunks) live.add(Buffer.from(chunk, 'hex'));
    }
  }
  return live;
}

import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { ChunkPlaces } from '../read/chunk-places.ts';
import type { Damage } from '../repository.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import { mostFiles } from './spoiled-names.ts';

/** Whether every chunk that a snapshot's trees name is in its packs, by its indexes. */
export async function checkTrees(store: Store, stored: StoredSnapshot): Promise<Damage[]> {
  const damage = (message: string, files: string[]): Damage => {
    const snapshots = [stored.snapshot.id];
    return { message, path: store.directory, got: undefined, want: undefined, snapshots, files };
  };
  try {
    const files = await filesWithoutPlace(store, stored);
    return files.length === 0 ? [] : [damage('no index tells where content of these files is', files)];
  } catch (error) {
    if (error instanceof DamagedError) return [damage(error.message, [])];
    throw error;
  }
}

/** `source:path` of the first few of which some content is in no pack. @throws {DamagedError} */
async function filesWithoutPlace(store: Store, { parts, trees }: StoredSnapshot): Promise<string[]> {
  const places = await ChunkPlaces.load(store, parts);
  const files: string[] = [];
  for (const [source, refs] of trees) {
    for await (const segment of readSegments(store, refs)) {
      if (segment instanceof DamagedError) throw segment;
      for (const { path, chunks } of segment.entries) {
        const lacks = chunks?.some((chunk) => places.find(chunk) === undefined);
        if (lacks && files.length < mostFiles) files.push(`${source}:${toText(path)}`);
      }
    }
  }
  return files;
}

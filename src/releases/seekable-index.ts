import { join } from 'node:path';
import type { Archive } from '../archive/archive.ts';
import { type ArchiveIndex, indexArchive } from '../archive/index/archive-index.ts';
import { openIndexCache } from '../archive/index/index-cache.ts';
import type { Context } from '../support/context.ts';

/**
 * What an archive holds, remembered between commands if it is slow to index; `undefined` when it can be read only once.
 * @throws {DamagedError} when its entries or documents are wrong
 */
export async function seekableIndex(
  archive: Archive,
  { stateDir }: Pick<Context, 'stateDir'>,
): Promise<ArchiveIndex | undefined> {
  const { seekable } = archive;
  if (seekable === undefined) return undefined;
  return await indexArchive({ ...archive, seekable }, openIndexCache(indexCacheDirectory(stateDir)));
}

/** Where what archives hold is remembered. */
export function indexCacheDirectory(stateDir: string): string {
  return join(stateDir, 'archive-indexes');
}

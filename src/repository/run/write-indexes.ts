import type { Digest } from '../../oci/digest.ts';
import type { StagedBlob } from '../../oci/layout-blobs.ts';
import { encodePackLine } from '../packs/index-lines.ts';
import { type PackLine, stageIndexes } from '../packs/stage-indexes.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';
import type { CommitOptions } from './commit.ts';
import { gatherIndexes } from './gather-indexes.ts';
import type { NewPack } from './new-pack.ts';

/** Indexes for the packs of this run, and those that tell of the older packs that it needs. */
export async function writeIndexes(
  { store, repository, ingest, usable }: CommitOptions,
  written: readonly NewPack[],
  needed: ReadonlyMap<Digest, PackRef>,
): Promise<{ staged: StagedBlob[]; refs: IndexRef[] }> {
  const own = new Set(written.map(({ ref }) => ref.digest));
  const older = [...needed.values()].filter(({ digest }) => !own.has(digest));
  const { refs, lines } = await gatherIndexes(store, usable, older);
  if (written.length === 0 && lines === undefined) return { staged: [], refs };
  const header = { repository, seed: await ingest.seed() };
  const fresh = await stageIndexes(store, header, allLines(written, lines));
  return { staged: fresh.staged, refs: [...refs, ...fresh.refs] };
}

/** The line of a new pack is made when it is asked for. */
async function* allLines(
  written: readonly NewPack[],
  older: AsyncIterable<PackLine> | undefined,
): AsyncGenerator<PackLine> {
  if (older !== undefined) yield* older;
  for (const { ref, contents } of written) yield { pack: ref, line: encodePackLine(contents()) };
}

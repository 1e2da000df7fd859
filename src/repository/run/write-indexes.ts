import type { Digest } from '../../oci/digest.ts';
import type { StagedBlob } from '../../oci/layout-blobs.ts';
import { stageMetadata } from '../blobs/metadata.ts';
import { encodeIndex, encodePackLine, indexGoal } from '../packs/index-lines.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';
import type { CommitOptions } from './commit.ts';
import { gatherIndexes } from './merge-indexes.ts';
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
  const staged: StagedBlob[] = [];
  for (const group of groupLines(allLines(written, lines))) {
    const header = { repository, seed: await ingest.seed() };
    const text = group.map(({ line }) => line);
    const blob = await stageMetadata(store, encodeIndex(header, text));
    staged.push(blob);
    refs.push({ digest: blob.digest, size: blob.size, packs: group.map(({ pack }) => pack) });
  }
  return { staged, refs };
}

interface PackLine {
  pack: PackRef;
  line: string;
}

/** The line of a new pack is made when it is asked for. */
function* allLines(written: readonly NewPack[], older: readonly PackLine[]): Generator<PackLine> {
  yield* older;
  for (const { ref, contents } of written) yield { pack: ref, line: encodePackLine(contents()) };
}

function* groupLines(lines: Iterable<PackLine>): Generator<PackLine[]> {
  let group: PackLine[] = [];
  let length = 0;
  for (const line of lines) {
    group.push(line);
    length += line.line.length;
    if (length < indexGoal) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}

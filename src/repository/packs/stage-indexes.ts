import type { StagedBlob } from '../../oci/layout-blobs.ts';
import { freeNow } from '../../support/free-now.ts';
import { LineBuffer } from '../blobs/line-buffer.ts';
import { stageMetadata } from '../blobs/metadata.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';
import { encodeIndexHeader, type IndexHeader } from './index-lines.ts';

/** No index is made longer than about this many bytes. */
export const indexGoal = 8 * 1024 * 1024;

/** What an index tells of one pack. */
export interface PackLine {
  pack: PackRef;
  line: string;
}

/** Writes these lines into as many indexes as they take; no more than one of them is in memory. */
export async function stageIndexes(
  store: Store,
  header: IndexHeader,
  lines: AsyncIterable<PackLine> | Iterable<PackLine>,
): Promise<{ staged: StagedBlob[]; refs: IndexRef[] }> {
  const staged: StagedBlob[] = [];
  const refs: IndexRef[] = [];
  const text = new LineBuffer();
  let packs: PackRef[] = [];

  async function endIndex(): Promise<void> {
    const bytes = text.take();
    const blob = await stageMetadata(store, bytes);
    freeNow(bytes);
    staged.push(blob);
    refs.push({ digest: blob.digest, size: blob.size, packs });
    packs = [];
  }

  for await (const { pack, line } of lines) {
    if (text.isEmpty) text.add(encodeIndexHeader(header));
    text.add(line);
    packs.push(pack);
    if (text.length >= indexGoal) await endIndex();
  }
  if (!text.isEmpty) await endIndex();
  return { staged, refs };
}

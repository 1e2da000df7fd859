import type { StagedBlob } from '../../oci/layout-blobs.ts';
import type { Frame, PackContents } from '../packs/index-lines.ts';
import type { KnownChunks } from '../packs/known-chunks.ts';
import type { WrittenPack } from '../packs/pack-file.ts';
import type { PackRef } from '../snapshot/manifest.ts';

/** A pack that this run wrote, not yet published. */
export interface NewPack {
  ref: PackRef;
  staged: StagedBlob;
  /** What the index is to tell of it. */
  contents(): PackContents;
}

/**
 * From now on the pack's chunks are known; they are remembered by their numbers, for a million digests as text take 70
 * MB.
 */
export function addNewPack(
  { path, pack, size, frames }: WrittenPack,
  source: string,
  known: KnownChunks,
): NewPack {
  const ref: PackRef = { digest: pack, size, source };
  const chunks = known.addPack(ref, { frames });
  const lengths = frames.map(({ length }) => length);
  const sizes = frames.map((frame) => Uint32Array.from(frame.sizes));
  return {
    ref,
    staged: { digest: pack, size, path },
    contents: () => ({ pack, size, frames: [...framesOf(chunks)] }),
  };

  function* framesOf(all: Uint32Array): Generator<Frame> {
    let from = 0;
    for (const [i, of] of sizes.entries()) {
      const text = known.textOf(all.subarray(from, from + of.length));
      yield { length: lengths[i]!, sizes: Array.from(of), chunks: text };
      from += of.length;
    }
  }
}

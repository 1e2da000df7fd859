import { hash } from 'node:crypto';
import { DamagedError } from '../../support/errors.ts';
import { frameLength } from '../blobs/frame-length.ts';
import { decompress } from '../blobs/zstd.ts';
import type { Frame, PackContents } from '../packs/index-lines.ts';
import { openPack } from '../packs/open-pack.ts';
import { chunksInFrame, largestFrame } from '../packs/tar-frame.ts';
import type { Store } from '../seal/store.ts';
import type { PackRef } from '../snapshot/manifest.ts';

/**
 * What an index would tell of a pack, found out from the pack itself: its frames, and in each the chunks by their
 * names.
 * @throws {DamagedError} when some of it is not what its name says @throws {SignatureError} when no key opens it
 */
export async function surveyPack(store: Store, { digest, size }: PackRef): Promise<PackContents> {
  const where = `pack ${digest}`;
  const file = await openPack(store, digest);
  const frames: Frame[] = [];
  try {
    for (let at = 0; ; ) {
      const length = await frameLength((offset, bytes) => file.read(at + offset, bytes), largestFrame, where);
      if (length === 0) {
        if (frames.length === 0) throw new DamagedError(`reading ${where}: no content is in there`);
        return { pack: digest, size, frames };
      }
      const bytes = await decompress(await file.read(at, length), largestFrame, where);
      const frame = surveyFrame(bytes, where);
      if (frame.sizes.length > 0) frames.push({ length, ...frame });
      at += length;
    }
  } finally {
    await file.close();
  }
}

function surveyFrame(bytes: Buffer, where: string): Omit<Frame, 'length'> {
  const sizes: number[] = [];
  let chunks = '';
  for (const { hex, offset, size } of chunksInFrame(bytes)) {
    const got = hash('sha256', bytes.subarray(offset, offset + size));
    if (got !== hex) throw new DamagedError(`reading ${where}: the chunk ${hex} has digest ${got}`);
    sizes.push(size);
    chunks += hex;
  }
  return { sizes, chunks };
}

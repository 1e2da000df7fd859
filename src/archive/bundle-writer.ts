import { tarEnd, tarFile, tarFileHeader, tarPadding } from '../support/tar/writer.ts';
import type { SpooledBlock, SpooledContent } from './compress/block-compressor.ts';
import type { BlockFormat, BlockSizes, CompressedBlock } from './compress/block-format.ts';
import type { Spool } from './spool.ts';

/** What a bundle is put together from (docs/bundle-format.md, "Entries" and "Compression"). */
export interface BundleParts {
  /** The entries before the first layer, in order. */
  documents: readonly BundleDocument[];
  layers: readonly BundleLayer[];
}

export interface BundleDocument {
  name: string;
  bytes: Uint8Array;
}

export interface BundleLayer {
  name: string;
  /** Bytes of the layer, without padding. */
  size: number;
  /** The layer and its padding, in the format of the bundle. */
  content: SpooledContent;
}

/** The bytes of a bundle. Layers are taken out of the spool as they are needed, and free their space in it. */
export async function* bundleBytes(
  { documents, layers }: BundleParts,
  format: BlockFormat,
  spool: Spool,
): AsyncGenerator<Uint8Array> {
  const sizes: BlockSizes[] = [];
  const passing = ({ bytes, contentSize, unpaddedSize }: CompressedBlock) => {
    sizes.push({ contentSize, unpaddedSize });
    return bytes;
  };
  yield format.start;
  for (const piece of inBlocks(tarOf(documents), format)) yield passing(await format.compress(piece));
  for (const { name, size, content } of layers) {
    yield passing(await format.compress(tarFileHeader(name, size)));
    for await (const block of taken(content, spool)) yield passing(block);
  }
  yield passing(await format.compress(tarEnd));
  yield format.end(sizes);
}

/** The blocks of a layer; the next one is read while one is passed on. */
async function* taken({ blocks }: SpooledContent, spool: Spool): AsyncGenerator<CompressedBlock> {
  const take = async (block: Promise<SpooledBlock>): Promise<CompressedBlock> => {
    const { extent, ...sizes } = await block;
    return { ...sizes, bytes: await spool.take(extent) };
  };
  let next = blocks.length > 0 ? take(blocks[0]!) : undefined;
  for (let i = 1; next !== undefined; i++) {
    const block = await next;
    next = i < blocks.length ? take(blocks[i]!) : undefined;
    next?.catch(() => {}); // It is awaited in its turn, unless nobody reads on.
    yield block;
  }
}

/** Content followed by the zeros that fill its last tar block. */
export async function* padded(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of content) {
    size += piece.length;
    yield piece;
  }
  yield tarPadding(size);
}

function tarOf(documents: readonly BundleDocument[]): Buffer {
  return Buffer.concat(documents.flatMap(({ name, bytes }) => [...tarFile(name, bytes)]));
}

function* inBlocks(
  bytes: Buffer,
  { blockSize, firstBlockSize = blockSize }: BlockFormat,
): Generator<Uint8Array> {
  yield bytes.subarray(0, firstBlockSize);
  for (let at = firstBlockSize; at < bytes.length; at += blockSize) yield bytes.subarray(at, at + blockSize);
}

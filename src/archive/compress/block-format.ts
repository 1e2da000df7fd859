import { UsageError } from '../../support/errors.ts';

/** How a bundle is compressed; also the end of its usual file name. */
export type BundleFormat = 'tar' | 'tar.gz' | 'tar.xz' | 'tar.zst';

/**
 * A compressed file as a sequence of blocks that know nothing of each other: blocks are compressed on all cores, and
 * may be put in another order afterwards. The bytes depend on content, format and level alone.
 */
export interface BlockFormat {
  /** Content bytes of a full block. */
  blockSize: number;
  /** Content bytes of the very first block, where readers need it to be smaller. */
  firstBlockSize?: number;
  /** Bytes of memory that compressing one block takes, its own included. */
  memory: number;
  /** Whether `compress` has made its own copy of the content by the time it returns. */
  copies: boolean;
  /** What stands before the first block. */
  start: Uint8Array;
  /** Compresses one block on the thread pool; unless it `copies`, `content` must not change meanwhile. */
  compress(content: Uint8Array): Promise<CompressedBlock>;
  /** What stands after the last block, given all of them in order. */
  end(blocks: readonly BlockSizes[]): Uint8Array;
}

export interface BlockSizes {
  /** Bytes of content. */
  contentSize: number;
  /** Bytes of the block without padding at its end, of which only xz has any. */
  unpaddedSize: number;
}

export interface CompressedBlock extends BlockSizes {
  bytes: Uint8Array;
}

const formats = {
  tar: { levels: undefined, open: async () => (await import('./plain.ts')).plainBlocks() },
  'tar.gz': {
    levels: { from: 1, to: 9, usual: 6 },
    open: async (level: number) => (await import('./gzip.ts')).gzipBlocks(level),
  },
  'tar.xz': {
    levels: { from: 0, to: 9, usual: 6 },
    open: async (level: number) => (await import('./xz.ts')).xzBlocks(level),
  },
  'tar.zst': {
    levels: { from: 1, to: 19, usual: 3 },
    open: async (level: number) => (await import('./zstd.ts')).zstdBlocks(level),
  },
} as const;

/** @throws {UsageError} when the format has no such level */
export async function blockFormat(format: BundleFormat, level?: number): Promise<BlockFormat> {
  const { levels, open } = formats[format];
  if (levels === undefined) {
    if (level === undefined) return await formats.tar.open();
    throw new UsageError('a plain tar has no compression level', {
      advice: 'Leave --level out, or choose another --format',
    });
  }
  const chosen = level ?? levels.usual;
  if (Number.isInteger(chosen) && chosen >= levels.from && chosen <= levels.to) return await open(chosen);
  throw new UsageError(`${format} has no compression level ${chosen}`, {
    advice: `Its levels go from ${levels.from} to ${levels.to}; ${levels.usual} is used when none is given`,
  });
}

/** The format that a file name ends in. @throws {UsageError} when it is none that we write */
export function formatOfName(name: string): BundleFormat {
  const format = /\.tgz$/.test(name) ? 'tar.gz' : /\.(tar(\.(gz|xz|zst))?)$/.exec(name)?.[1];
  if (isBundleFormat(format)) return format;
  throw new UsageError(`${name}: its name does not tell the format`, {
    advice: `Let it end in .${bundleFormats.join(', .')}, or give --format`,
  });
}

export const bundleFormats = Object.keys(formats) as readonly BundleFormat[];

/** Whether it names a format that bundles are written in. */
export function isBundleFormat(text: unknown): text is BundleFormat {
  return typeof text === 'string' && Object.hasOwn(formats, text);
}

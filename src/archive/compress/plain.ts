import type { BlockFormat } from './block-format.ts';

const blockSize = 4 << 20;

/** Content as it is. */
export function plainBlocks(): BlockFormat {
  return {
    blockSize,
    memory: blockSize,
    copies: false,
    start: new Uint8Array(0),
    async compress(content) {
      return { bytes: content, contentSize: content.length, unpaddedSize: content.length };
    },
    end: () => new Uint8Array(0),
  };
}

import type { Duplex } from 'node:stream';

/**
 * liblzma's stream decoder, for whole .xz files: several streams one after the other, and the padding between them.
 * @param memoryLimit bytes; a dictionary that needs more is refused
 */
export async function createXzDecoder(memoryLimit: number): Promise<{ stream: Duplex; release: () => void }> {
  const lzma = (await import('lzma-native')).default as unknown as LzmaNative;
  const stream = lzma.createStream('streamDecoder', {
    memlimit: memoryLimit,
    flags: lzma.CONCATENATED,
    bufsize: 1 << 18,
    writableHighWaterMark: 1,
  });
  return { stream, release: () => stream.cleanup() };
}

/** What `@types/lzma-native` leaves out or misspells. */
interface LzmaNative {
  CONCATENATED: number;
  createStream(coder: 'streamDecoder', options: Record<string, number>): Duplex & { cleanup(): void };
}

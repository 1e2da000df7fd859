import { hash } from 'node:crypto';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { Entry } from '../entry.ts';
import type { ChunkPlaces } from './chunk-places.ts';
import type { FrameReader } from './frame-reader.ts';

/** So many chunks of a file are decompressed ahead of the one that is passed on. */
const chunksAhead = 4;

/**
 * A file's bytes without its holes, chunk by chunk, each checked before it is passed on.
 * @throws {DamagedError} naming the file
 */
export async function* readContent(
  places: ChunkPlaces,
  frames: FrameReader,
  entry: Readonly<Entry>,
): AsyncGenerator<Uint8Array> {
  const chunks = entry.chunks ?? [];
  const reads: Promise<Uint8Array>[] = [];
  try {
    for (let i = 0; i < chunks.length; i++) {
      while (reads.length < chunksAhead && i + reads.length < chunks.length) {
        const read = readChunk(places, frames, chunks[i + reads.length]!);
        read.catch(() => {});
        reads.push(read);
      }
      yield await reads.shift()!;
    }
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    const path = toText(entry.path);
    throw new DamagedError(`reading the content of ${path}: ${error.message}`, {
      facts: { ...error.facts, path },
      cause: error,
    });
  }
}

/** @throws {DamagedError} */
export async function readChunk(places: ChunkPlaces, frames: FrameReader, hex: string): Promise<Uint8Array> {
  const place = places.find(hex);
  if (place === undefined)
    throw places.damage ?? new DamagedError(`no pack of the snapshot has the chunk ${hex}`);
  const frame = await frames.read(place.frame);
  const chunk = frame.subarray(place.offset, place.offset + place.size);
  const got = hash('sha256', chunk);
  if (got === hex) return chunk;
  throw new DamagedError(`the chunk ${hex} in pack ${place.frame.pack} has digest ${got}`, {
    facts: { got, want: hex },
  });
}

import { hash } from 'node:crypto';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { Entry } from '../entry.ts';
import type { ContentOptions } from '../repository.ts';
import type { ChunkPlaces } from './chunk-places.ts';
import type { FrameReader } from './frame-reader.ts';

/** So many chunks of a file are decompressed ahead of the one that is passed on. */
const chunksAhead = 4;

/**
 * A file's bytes without its holes, chunk by chunk, each checked before it is passed on.
 * @throws {DamagedError} naming the file
 */
export async function* readContent(
  load: () => Promise<ChunkPlaces>,
  frames: FrameReader,
  entry: Readonly<Entry>,
  { lent = false }: ContentOptions = {},
): AsyncGenerator<Uint8Array> {
  const { chunks = [] } = entry;
  if (chunks.length === 0) return;
  const places = await load();
  const reads: Promise<LentChunk>[] = [];
  let begun = 0;
  const readAhead = () => {
    while (begun < chunks.length && (reads.length === 0 || (reads.length < chunksAhead && frames.hasRoom))) {
      const read = readChunk(places, frames, chunks[begun++]!, !lent);
      read.catch(() => {});
      reads.push(read);
    }
  };
  try {
    for (readAhead(); reads.length > 0; readAhead()) {
      const chunk = await reads.shift()!;
      try {
        yield chunk.bytes;
      } finally {
        chunk.giveBack();
      }
    }
  } catch (error) {
    throw error instanceof DamagedError ? spoilt(entry, error) : error;
  } finally {
    for (const read of reads)
      read.then(
        (chunk) => chunk.giveBack(),
        () => {},
      );
  }
}

interface LentChunk {
  bytes: Uint8Array;
  giveBack(): void;
}

/** @throws {DamagedError} */
async function readChunk(
  places: ChunkPlaces,
  frames: FrameReader,
  hex: string,
  escapes: boolean,
): Promise<LentChunk> {
  const place = places.find(hex);
  if (place === undefined)
    throw places.damage ?? new DamagedError(`no pack of the snapshot has the chunk ${hex}`);
  const { bytes: frame, giveBack } = await frames.lend(place.frame, escapes);
  const bytes = frame.subarray(place.offset, place.offset + place.size);
  const got = hash('sha256', bytes);
  if (got === hex) return { bytes, giveBack };
  giveBack();
  throw new DamagedError(`the chunk ${hex} in pack ${place.frame.pack} has digest ${got}`, {
    facts: { got, want: hex },
  });
}

function spoilt(entry: Readonly<Entry>, error: DamagedError): DamagedError {
  const path = toText(entry.path);
  return new DamagedError(`reading the content of ${path}: ${error.message}`, {
    advice:
      error.advice ??
      'dockerctl backup verify names all that is spoilt; another snapshot may have the file whole',
    facts: { ...error.facts, path },
    cause: error,
  });
}

import { DamagedError } from '../../support/errors.ts';
import { freeNow } from '../../support/free-now.ts';
import { endOfLine } from '../blobs/end-of-line.ts';
import { readMetadata } from '../blobs/metadata.ts';
import type { Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { metadataLimit } from '../snapshot/media-types.ts';
import { segmentLimit } from './cut.ts';
import { decodeLineAt } from './long-line.ts';

/** A segment of a tree as it was read. */
export interface Segment {
  ref: TreeRef;
  /** One for each line. */
  entries: Readonly<Entry>[];
}

/** The segments of a tree in order, or why one cannot be read. */
export async function* readSegments(
  store: Store,
  refs: readonly TreeRef[],
): AsyncGenerator<Segment | DamagedError> {
  for await (const read of readSegmentTexts(store, refs)) {
    yield read instanceof DamagedError ? read : decodeSegment(read);
  }
}

/** A segment, its lines not decoded. */
export interface SegmentText {
  ref: TreeRef;
  text: Buffer;
}

/** So many segments are read while one is looked at… */
const readAhead = 3;
/** …unless they are longer, in bytes, than any but that of a file of terabytes: such a one is read alone. */
const readAheadLimit = 2 * segmentLimit;

/** The same without decoding their lines. */
export async function* readSegmentTexts(
  store: Store,
  refs: readonly TreeRef[],
): AsyncGenerator<SegmentText | DamagedError> {
  const reading: { ref: TreeRef; read: ReturnType<typeof readText> }[] = [];
  const next = async () => {
    const { ref, read } = reading.shift()!;
    const text = await read;
    return text instanceof DamagedError ? readText(store, ref, metadataLimit) : text;
  };
  for (const ref of refs) {
    const read = readText(store, ref, readAheadLimit);
    read.catch(() => {}); // It is told when its turn comes; nobody may wait for it by then.
    reading.push({ ref, read });
    if (reading.length > readAhead) yield next();
  }
  while (reading.length > 0) yield next();
}

async function readText(store: Store, ref: TreeRef, limit: number): Promise<SegmentText | DamagedError> {
  try {
    const text = await readMetadata(store, ref, limit);
    if (text.lastIndexOf('\n', -2) < segmentLimit) return { ref, text };
    freeNow(text);
    return new DamagedError(`reading tree ${ref.digest}: it goes on where every segment has ended`);
  } catch (error) {
    if (error instanceof DamagedError) return error;
    throw error;
  }
}

/** What the lines of a segment say, or which of them says nothing. */
export function decodeSegment({ ref, text }: SegmentText): Segment | DamagedError {
  const entries: Entry[] = [];
  try {
    for (let from = 0; from < text.length; ) {
      const to = endOfLine(text, from);
      entries.push(decodeLineAt(text, from, to, `tree ${ref.digest}`));
      from = to + 1;
    }
    return { ref, entries };
  } catch (error) {
    if (error instanceof DamagedError) return error;
    throw error;
  } finally {
    freeNow(text);
  }
}

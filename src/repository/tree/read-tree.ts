import { DamagedError } from '../../support/errors.ts';
import { freeNow } from '../../support/free-now.ts';
import { readMetadata } from '../blobs/metadata.ts';
import type { Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { segmentLimit } from './cut.ts';
import { decodeLine } from './line.ts';

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

/** So many segments are read while one is looked at. */
const readAhead = 3;

/** The same without decoding their lines. */
export async function* readSegmentTexts(
  store: Store,
  refs: readonly TreeRef[],
): AsyncGenerator<SegmentText | DamagedError> {
  const reading: Promise<SegmentText | DamagedError>[] = [];
  for (const ref of refs) {
    const read = readText(store, ref);
    read.catch(() => {}); // It is told when its turn comes; nobody may wait for it by then.
    reading.push(read);
    if (reading.length > readAhead) yield reading.shift()!;
  }
  yield* reading;
}

async function readText(store: Store, ref: TreeRef): Promise<SegmentText | DamagedError> {
  try {
    return { ref, text: await readMetadata(store, ref) };
  } catch (error) {
    if (error instanceof DamagedError) return error;
    throw error;
  }
}

/** What the lines of a segment say, or which of them says nothing. */
export function decodeSegment({ ref, text }: SegmentText): Segment | DamagedError {
  if (text.lastIndexOf('\n', -2) >= segmentLimit)
    return new DamagedError(`reading tree ${ref.digest}: it goes on where every segment has ended`);
  const lines = text.toString('utf8').split('\n');
  freeNow(text);
  if (lines.at(-1) === '') lines.pop();
  try {
    return { ref, entries: lines.map((line) => decodeLine(line, `tree ${ref.digest}`)) };
  } catch (error) {
    if (error instanceof DamagedError) return error;
    throw error;
  }
}

import { DamagedError } from '../../support/errors.ts';
import { readMetadata } from '../blobs/metadata.ts';
import type { Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { decodeLine } from './line.ts';

/** A segment of a tree as it was read. */
export interface Segment {
  ref: TreeRef;
  lines: string[];
  /** One for each line. */
  entries: Readonly<Entry>[];
}

/** The segments of a tree in order, or why one cannot be read. The next one is read meanwhile. */
export async function* readSegments(
  store: Store,
  refs: readonly TreeRef[],
): AsyncGenerator<Segment | DamagedError> {
  let next = refs[0] && readSegment(store, refs[0]);
  for (let i = 0; next !== undefined; i++) {
    const segment = await next;
    const following = refs[i + 1];
    next = following && readSegment(store, following);
    yield segment;
  }
}

async function readSegment(store: Store, ref: TreeRef): Promise<Segment | DamagedError> {
  try {
    const lines = (await readMetadata(store, ref)).toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return { ref, lines, entries: lines.map((line) => decodeLine(line, `tree ${ref.digest}`)) };
  } catch (error) {
    if (error instanceof DamagedError) return error;
    throw error;
  }
}

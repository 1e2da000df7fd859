import type { Entry } from '../../repository/entry.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { DamagedError } from '../../support/errors.ts';
import { interruptible } from '../../support/interruptible.ts';

/** A file as a snapshot has it. */
export interface SnapshotFile {
  snapshot: Snapshot;
  entry: Entry;
}

/**
 * Whether two files that consist of other chunks hold the same bytes: repositories cut content at places of their own,
 * and so does one whose recipients have changed. Reads on from the first chunk that differs to the first byte that
 * does. What cannot be read counts as other bytes.
 */
export async function holdSameBytes(
  repository: Pick<Repository, 'content'>,
  before: SnapshotFile,
  after: SnapshotFile,
  signal?: AbortSignal,
): Promise<boolean> {
  const [a, b] = [before.entry, after.entry];
  if (a.chunks === undefined || b.chunks === undefined || a.size !== b.size) return false;
  if (JSON.stringify(a.holes) !== JSON.stringify(b.holes)) return false;
  // A single chunk is named by the digest of the file.
  if (a.chunks.length < 2 && b.chunks.length < 2) return false;
  const same = Math.max(
    0,
    a.chunks.findIndex((chunk, i) => chunk !== b.chunks?.[i]),
  );
  const [left, right] = [before, after].map(({ snapshot, entry }) =>
    repository.content(snapshot, { ...entry, chunks: entry.chunks!.slice(same) }),
  );
  try {
    return await areEqual(interruptible(left!, signal), interruptible(right!, signal));
  } catch (error) {
    if (error instanceof DamagedError) return false;
    throw error;
  }
}

async function areEqual(left: AsyncIterable<Uint8Array>, right: AsyncIterable<Uint8Array>): Promise<boolean> {
  const sides = [left, right].map((side) => side[Symbol.asyncIterator]());
  const [a, b] = sides as [AsyncIterator<Uint8Array>, AsyncIterator<Uint8Array>];
  try {
    for (let [x, y] = await Promise.all([next(a), next(b)]); ; ) {
      if (x === undefined || y === undefined) return x === y;
      const length = Math.min(x.length, y.length);
      if (Buffer.compare(x.subarray(0, length), y.subarray(0, length)) !== 0) return false;
      x = x.length > length ? x.subarray(length) : await next(a);
      y = y.length > length ? y.subarray(length) : await next(b);
    }
  } finally {
    await Promise.all(sides.map((side) => side.return?.()));
  }
}

/** `undefined` at the end. */
async function next(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { value, done } = await pieces.next();
  return done ? undefined : value;
}

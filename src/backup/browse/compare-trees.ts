import { comparePaths, type Entry } from '../../repository/entry.ts';

export interface Difference {
  path: string;
  /** `type`: a file became something else; `content`: its bytes or where a link points; `metadata`: only owner, mode, times or attributes. */
  change: 'added' | 'removed' | 'type' | 'content' | 'metadata';
  before: Entry | undefined;
  after: Entry | undefined;
}

/** What differs between two trees of the same source, in their order. Nothing is kept in memory. */
export async function* compareTrees(
  before: AsyncIterable<Entry>,
  after: AsyncIterable<Entry>,
): AsyncGenerator<Difference> {
  const [old, now] = [before[Symbol.asyncIterator](), after[Symbol.asyncIterator]()];
  try {
    let [a, b] = await Promise.all([next(old), next(now)]);
    while (a !== undefined || b !== undefined) {
      const order = a === undefined ? 1 : b === undefined ? -1 : comparePaths(a.path, b.path);
      const difference = compareEntries(order <= 0 ? a : undefined, order >= 0 ? b : undefined);
      if (difference !== undefined) yield difference;
      if (order <= 0) a = await next(old);
      if (order >= 0) b = await next(now);
    }
  } finally {
    await Promise.all([old.return?.(), now.return?.()]);
  }
}

async function next(entries: AsyncIterator<Entry>): Promise<Entry | undefined> {
  const { value, done } = await entries.next();
  return done ? undefined : value;
}

function compareEntries(before: Entry | undefined, after: Entry | undefined): Difference | undefined {
  const path = (after ?? before)?.path ?? '';
  if (before === undefined) return { path, change: 'added', before, after };
  if (after === undefined) return { path, change: 'removed', before, after };
  if (before.type !== after.type) return { path, change: 'type', before, after };
  if (contentOf(before) !== contentOf(after)) return { path, change: 'content', before, after };
  if (metadataOf(before) !== metadataOf(after)) return { path, change: 'metadata', before, after };
  return undefined;
}

function contentOf({ size, chunks, holes, target, device, hardlink }: Entry): string {
  return JSON.stringify([size, chunks, holes, target, device, hardlink]);
}

function metadataOf({ mode, uid, gid, mtime, xattrs = {} }: Entry): string {
  const attributes = Object.entries(xattrs).map(([name, value]) => [
    name,
    Buffer.from(value).toString('hex'),
  ]);
  return JSON.stringify([mode, uid, gid, String(mtime), attributes.sort()]);
}

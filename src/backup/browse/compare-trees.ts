import { comparePaths, type Entry } from '../../repository/entry.ts';

/** One file that differs between two trees; its path has one character per byte. */
export interface Difference {
  path: string;
  /** `type`: a file became something else; `content`: its bytes or where a link points; `attributes`: only those. */
  change: 'added' | 'removed' | 'type' | 'content' | 'attributes';
  /** Which of them differ, of what is still the same type. */
  attributes: Attribute[];
  before: Entry | undefined;
  after: Entry | undefined;
}

export type Attribute = 'mode' | 'owner' | 'time' | 'xattrs';

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
  const told = { path, before, after, attributes: [] };
  if (before === undefined) return { ...told, change: 'added' };
  if (after === undefined) return { ...told, change: 'removed' };
  if (before.type !== after.type) return { ...told, change: 'type' };
  const attributes = differing(before, after);
  if (contentOf(before) !== contentOf(after)) return { ...told, change: 'content', attributes };
  return attributes.length > 0 ? { ...told, change: 'attributes', attributes } : undefined;
}

function contentOf({ size, chunks, holes, target, device, hardlink }: Entry): string {
  return JSON.stringify([size, chunks, holes, target, device, hardlink]);
}

function differing(before: Entry, after: Entry): Attribute[] {
  const attributes: Attribute[] = [];
  if (before.mode !== after.mode) attributes.push('mode');
  if (before.uid !== after.uid || before.gid !== after.gid) attributes.push('owner');
  if (before.mtime !== after.mtime) attributes.push('time');
  if (xattrsOf(before) !== xattrsOf(after)) attributes.push('xattrs');
  return attributes;
}

function xattrsOf({ xattrs = {} }: Entry): string {
  const named = Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value).toString('hex')]);
  return JSON.stringify(named.sort());
}

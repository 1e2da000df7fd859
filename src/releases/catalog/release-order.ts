/**
 * Whether `candidate` is an older release than `current`. Labels are compared as people read them: numbers by value
 * (1.10 is newer than 1.9), anything else by letter; `1.4-rc1` is older than `1.4`, while `1.4-1` and `1.4-hotfix` are
 * newer. Labels that cannot be told apart are not older.
 */
export function isOlderRelease(candidate: string, current: string): boolean {
  return compareReleases(candidate, current) < 0;
}

/** Negative when `a` is older than `b`, positive when it is newer. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareParts(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** `v1.10-rc1` → `1`, `10`, `rc`, `1`. */
function partsOf(label: string): string[] {
  return label.replace(/^v(?=\d)/i, '').match(/\d+|[a-z]+/gi) ?? [];
}

function compareParts(a: string | undefined, b: string | undefined): number {
  const [left, right] = [rank(a), rank(b)];
  if (left !== right) return left - right;
  if (a === undefined || b === undefined) return 0;
  if (/^\d/.test(a)) return Math.sign(Number(a) - Number(b));
  const [low, high] = [a.toLowerCase(), b.toLowerCase()];
  return low === high ? 0 : low < high ? -1 : 1;
}

/** What may stand at the same place, from the oldest: a pre-release, the end, a suffix, a further number. */
function rank(part: string | undefined): number {
  if (part === undefined) return 1;
  if (/^(alpha|beta|dev|pre|preview|rc|snapshot)$/i.test(part)) return 0;
  return /^\d/.test(part) ? 3 : 2;
}

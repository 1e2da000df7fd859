import { createHash } from 'node:crypto';

/** `shop` and `new_1f2e` make `shop.new_1f2e`, shortened to the 63 bytes a name may have. */
export function derivedName(name: string, suffix: string): string {
  const derived = `${name}.${suffix}`;
  if (Buffer.byteLength(derived) <= 63) return derived;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${Array.from(name).slice(0, 8).join('')}~${digest}.${suffix}`;
}

/** Whether a database is one that a restore is loading, or keeps for the way back. */
export function isDerivedName(name: string): boolean {
  return /\.(new|old)_[0-9a-f]+$/.test(name);
}

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planPrune } from '../../../src/backup/retention/prune.ts';
import type { Deployment } from '../../../src/deployment/deployment.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';

const shop = {
  name: 'shop',
  backup: { keep: { last: 1 }, sources: [{ name: 'config' }, { name: 'mirror', full: true }] },
} as unknown as Deployment;

/** Of the config alone, whole, and begun on this day of November, whatever the day on which it was made. */
function snapshot(id: string, dayOfMonth: number, more: Partial<Snapshot> = {}): Snapshot {
  const started = new Date(Date.UTC(2026, 10, dayOfMonth));
  const sources = [{ name: 'config' }];
  return {
    id,
    started,
    host: 'h',
    deployment: 'shop',
    complete: true,
    tags: [],
    sources,
    ...more,
  } as Snapshot;
}

const full: Partial<Snapshot> = { sources: [{ name: 'config' }, { name: 'mirror' }] as Snapshot['sources'] };

/** The ids of those that stay, in the order in which they were made. */
function kept(
  snapshots: readonly Snapshot[],
  { verified = [] as string[], own = [] as string[] } = {},
): string {
  const known = { verified: new Set(verified), own: new Set(own) };
  const clock = { now: new Date(Date.UTC(2026, 10, 23)), timeZone: 'UTC' };
  const { decisions } = planPrune(shop, snapshots, known, clock);
  const stay = new Set(decisions.filter(({ keep }) => keep).map((decision) => decision.snapshot.id));
  return snapshots.flatMap(({ id }) => (stay.has(id) ? [id] : [])).join(' ');
}

test('the last full snapshot that was made stays like the last light one, whatever the clock said', () => {
  const made = [snapshot('a', 9, full), snapshot('b', 5, full), snapshot('c', 8), snapshot('d', 10)];
  assert.is(kept(made), 'a b d');
});

test('one that is damaged or incomplete is not the last that was made', () => {
  for (const flaw of [{ damaged: true as const }, { complete: false }]) {
    const made = [snapshot('a', 9), snapshot('b', 5), snapshot('c', 6, flaw), snapshot('d', 10, full)];
    assert.is(kept(made), 'a b d', JSON.stringify(flaw));
  }
});

test('one that only says that it is of this host is neither the last that it made nor the last verified', () => {
  const made = [snapshot('a', 9), snapshot('b', 5), snapshot('c', 10)];
  assert.is(kept(made, { own: ['a', 'b'] }), 'a b c');
  const later = [snapshot('a', 3), snapshot('b', 4), snapshot('c', 5), snapshot('d', 6)];
  assert.is(kept(later, { own: ['a', 'b', 'd'], verified: ['b', 'c'] }), 'b c d');
  assert.is(kept(later, { own: ['a', 'b', 'd'], verified: ['b'] }), 'b d');
});

test.run();

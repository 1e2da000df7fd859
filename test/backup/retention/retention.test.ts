import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Candidate,
  planRetention,
  type RetentionPlan,
} from '../../../src/backup/retention/retention.ts';
import type { CalendarSpan, KeepRules } from '../../../src/deployment/backup-settings.ts';
import { parseCalendarSpan } from '../../../src/deployment/schema/units.ts';
import { formatMoment } from '../../../src/support/quantities.ts';
import fc from '../../support/property.ts';

const hour = 3_600_000;
const day = 24 * hour;
const epoch = Date.parse('2026-03-02T03:00:00Z');

function snapshot(id: string, days: number, more: Partial<Candidate> = {}): Candidate {
  return { id, started: new Date(epoch + days * day), complete: true, series: 'shop', ...more };
}

function plan(
  snapshots: Candidate[],
  rules: KeepRules | undefined,
  now: Date = new Date(Math.max(...snapshots.map(({ started }) => started.getTime()), epoch)),
): RetentionPlan<Candidate> {
  return planRetention(snapshots, rules, { now, timeZone: 'UTC' });
}

function spanOf(text: string): CalendarSpan {
  return parseCalendarSpan(text)!;
}

function kept(retention: RetentionPlan<Candidate>): string[] {
  return retention.decisions.filter(({ keep }) => keep).map(({ snapshot: { id } }) => id);
}

function reasonsFor(id: string, retention: RetentionPlan<Candidate>): string[] {
  return retention.decisions.find(({ snapshot }) => snapshot.id === id)?.reasons ?? [];
}

const nightly = Array.from({ length: 40 }, (_, i) => snapshot(`night-${i}`, i));

test('every answer of restic is ours too', () => {
  const fixture = JSON.parse(readFileSync('fixtures/retention/restic.json', 'utf8')) as {
    timeZone: string;
    snapshots: { time: string; tags: string[] }[];
    cases: { rules: Omit<KeepRules, 'within'> & { within?: string }; keep: string[] }[];
  };
  const snapshots = fixture.snapshots.map(({ time, tags }, index) => ({
    ...snapshot(String(index), 0, { tags }),
    started: new Date(time),
  }));
  const now = new Date(fixture.snapshots.at(-1)?.time ?? '');
  assert.ok(fixture.cases.length >= 16);
  for (const { rules: written, keep } of fixture.cases) {
    const { within, ...counts } = written;
    const rules = { ...counts, ...(within && { within: spanOf(within) }) };
    const { decisions } = planRetention(snapshots, rules, { now, timeZone: fixture.timeZone });
    const ours = decisions.filter((decision) => decision.keep);
    assert.equal(
      ours.map((decision) => decision.snapshot.started.toISOString()).sort(),
      keep,
      JSON.stringify(written),
    );
  }
});

test('a month of `within` is what is written on a calendar, and a year may be a leap year', () => {
  const times = [
    '2024-02-28T03:00:00Z',
    '2024-02-29T02:00:00Z',
    '2024-03-02T00:30:00Z',
    '2024-12-31T03:00:00Z',
  ];
  const snapshots = [...times, '2025-02-28T02:30:00Z'].map((time, i) => ({
    ...snapshot(String(i), 0),
    started: new Date(time),
  }));
  const now = new Date('2025-03-01T03:00:00Z');
  const keptWithin = (text: string) => kept(plan(snapshots, { within: spanOf(text) }, now));
  assert.equal(keptWithin('1m'), ['4']);
  assert.equal(keptWithin('6m'), ['4', '3']);
  assert.equal(keptWithin('365d'), ['4', '3', '2']);
  assert.equal(keptWithin('1y'), ['4', '3', '2', '1', '0']);
  assert.equal(keptWithin('99999y'), ['4', '3', '2', '1', '0']);
});

test('every rule that keeps a snapshot is named, and what goes says why', () => {
  const retention = plan(nightly, { last: 2, daily: 3, within: spanOf('2d'), tags: ['gold'] });
  assert.equal(kept(retention), ['night-39', 'night-38', 'night-37']);
  assert.equal(reasonsFor('night-39', retention), ['within', 'last', 'daily', 'newest']);
  assert.equal(reasonsFor('night-37', retention), ['daily']);
  assert.equal(reasonsFor('night-36', retention), ['no rule keeps it']);
});

test('a tag keeps its snapshots however old they are', () => {
  const snapshots = [snapshot('release', -400, { tags: ['gold', 'silver'] }), ...nightly];
  assert.equal(kept(plan(snapshots, { tags: ['gold'] })), ['night-39', 'release']);
  assert.equal(kept(plan(snapshots, { tags: ['silver,gold'] })), ['night-39', 'release']);
  assert.equal(kept(plan(snapshots, { tags: ['gold,bronze'] })), ['night-39']);
});

test('days are those of the time zone given', () => {
  const snapshots = [snapshot('a', 0), snapshot('b', 0.8)];
  const keptIn = (timeZone: string): string[] =>
    kept(planRetention(snapshots, { daily: 2, last: 1 }, { now: new Date(epoch + day), timeZone }));
  assert.equal(keptIn('UTC'), ['b', 'a']);
  const three = [...snapshots, snapshot('c', 1.6)];
  const later = { now: new Date(epoch + 2 * day) };
  assert.equal(kept(planRetention(three, { daily: 2 }, { ...later, timeZone: 'UTC' })), ['c', 'b']);
  assert.equal(kept(planRetention(three, { daily: 2 }, { ...later, timeZone: 'Pacific/Auckland' })), [
    'c',
    'b',
  ]);
  const middle = [snapshot('x', 0), snapshot('y', 0.5), snapshot('z', 1)];
  assert.equal(kept(planRetention(middle, { daily: 2 }, { ...later, timeZone: 'UTC' })), ['z', 'y']);
  assert.equal(kept(planRetention(middle, { daily: 2 }, { ...later, timeZone: 'Asia/Tokyo' })), ['z', 'x']);
});

test('without rules every complete snapshot stays', () => {
  for (const rules of [undefined, {}, { last: 0 }]) assert.is(kept(plan(nightly, rules)).length, 40);
});

test('an incomplete snapshot does not count, and goes once a newer complete one exists', () => {
  const snapshots = [
    snapshot('good', 0),
    snapshot('half', 1, { complete: false }),
    snapshot('better', 2),
    snapshot('half again', 3, { complete: false }),
  ];
  const retention = plan(snapshots, { last: 2 });
  assert.equal(kept(retention), ['half again', 'better', 'good']);
  assert.equal(reasonsFor('half', retention), ['incomplete']);
  assert.equal(kept(plan([snapshot('half', 0, { complete: false })], { last: 1 })), ['half']);
  const failing = [snapshot('good', 0), ...[1, 2, 3].map((d) => snapshot(`f${d}`, d, { complete: false }))];
  assert.ok(kept(plan(failing, { last: 1 })).includes('good'));
});

test('one that a repair rebuilt stays, for nobody knows what it is worth, and pushes out none', () => {
  const rebuilt = snapshot('rebuilt', 1, { complete: false, rebuilt: true });
  const retention = plan([snapshot('old', 0), rebuilt, snapshot('new', 2)], { last: 2 });
  assert.equal(kept(retention), ['new', 'rebuilt', 'old']);
  assert.equal(reasonsFor('rebuilt', retention), ['rebuilt by a repair: removed by hand only']);
});

test('the snapshot last verified stays', () => {
  const snapshots = [...nightly, snapshot('known good', -3, { lastVerified: true })];
  const retention = plan(snapshots, { last: 1 });
  assert.equal(kept(retention), ['night-39', 'known good']);
  assert.equal(reasonsFor('known good', retention), ['last verified']);
});

test('a host or deployment does not push out the snapshots of another', () => {
  const snapshots = [...nightly, snapshot('other', -9, { series: 'wiki' })];
  assert.equal(kept(plan(snapshots, { last: 1 })), ['night-39', 'other']);
});

test('a clock set back a day or more removes nothing and says why', () => {
  const retention = plan(nightly, { last: 1 }, new Date(epoch + 38 * day));
  assert.is(kept(retention).length, 40);
  const [now, newest] = [epoch + 38 * day, epoch + 39 * day].map((time) => formatMoment(new Date(time)));
  assert.is(retention.blocked, `the clock says ${now}, but there is a snapshot of ${newest}`);
  assert.equal(reasonsFor('night-0', retention), ['the clock is not trusted']);
  assert.is(plan(nightly, { last: 1 }, new Date(epoch + 38 * day + hour)).blocked, undefined);
});

test('one snapshot of the far future removes nothing', () => {
  const retention = plan([...nightly, snapshot('2099', 26_000)], { last: 1 }, new Date(epoch + 40 * day));
  assert.ok(retention.blocked);
  assert.is(kept(retention).length, 41);
});

test('a clock that leapt ahead removes nothing for a week, however often it ran since', () => {
  const ahead = 26_000;
  assert.ok(plan(nightly, { last: 1 }, new Date(epoch + ahead * day)).blocked);
  const since = [0, 1, 2].map((i) => snapshot(`ahead-${i}`, ahead + i));
  const retention = plan([...nightly, ...since], { within: spanOf('1d') });
  assert.match(retention.blocked ?? '', /leapt/);
  assert.is(kept(retention).length, 43);
  assert.is(
    plan([...nightly, ...since], { last: 1 }, new Date(epoch + (ahead + 7) * day)).blocked,
    undefined,
  );
});

test('a clock that is a year ahead removes nothing: a wrong year is the likeliest mistake', () => {
  const newest = epoch + 39 * day;
  for (const ahead of [365, 366]) {
    for (const later of [1, 13, 23]) {
      const now = new Date(newest + ahead * day + later * hour);
      assert.ok(plan(nightly, { within: spanOf('30d') }, now).blocked, `${ahead} days and ${later} hours`);
    }
  }
  assert.is(plan(nightly, { last: 1 }, new Date(newest + 100 * day)).blocked, undefined);
});

test('nothing to decide is no error', () => {
  assert.equal(plan([], { last: 1 }), { blocked: undefined, decisions: [] });
});

const anyRules: fc.Arbitrary<KeepRules> = fc.record(
  {
    last: fc.nat(5),
    hourly: fc.nat(5),
    daily: fc.nat(5),
    weekly: fc.nat(5),
    monthly: fc.nat(5),
    yearly: fc.nat(5),
    within: fc.integer({ min: 1, max: 90 * 24 }).map((hours) => spanOf(`${hours}h`)),
  },
  { requiredKeys: [] },
);
// All within half a year, so that the clock is never doubted here; other tests doubt it.
const anySnapshots = fc
  .array(fc.record({ hours: fc.nat(4300), complete: fc.boolean(), lastVerified: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) =>
    list.map(({ hours, ...more }, i) => ({ ...snapshot(String(i).padStart(3, '0'), hours / 24), ...more })),
  );

test('a second run removes nothing more', () => {
  fc.assert(
    fc.property(anySnapshots, anyRules, (snapshots, rules) => {
      const stays = plan(snapshots, rules).decisions.filter(({ keep }) => keep);
      const again = plan(
        stays.map((decision) => decision.snapshot),
        rules,
      );
      assert.is(kept(again).length, stays.length);
    }),
  );
});

test('a larger count or span never removes what a smaller one keeps', () => {
  const oneRule = fc.constantFrom('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'within');
  fc.assert(
    fc.property(
      anySnapshots,
      anyRules,
      oneRule,
      fc.integer({ min: 1, max: 99 }),
      (snapshots, rules, rule, n) => {
        const ruleOf = (amount: number) => (rule === 'within' ? spanOf(`${amount}h`) : amount);
        const more = new Set(kept(plan(snapshots, { ...rules, [rule]: ruleOf(n + 1) })));
        for (const id of kept(plan(snapshots, { ...rules, [rule]: ruleOf(n) }))) assert.ok(more.has(id), id);
      },
    ),
  );
});

test('the newest complete snapshot never goes, and a complete one never for the sake of an incomplete one', () => {
  fc.assert(
    fc.property(anySnapshots, anyRules, (snapshots, rules) => {
      const complete = snapshots.filter((one) => one.complete);
      const retention = plan(snapshots, rules);
      const newest = retention.decisions.find((decision) => decision.snapshot.complete);
      assert.ok(newest === undefined || newest.keep);
      const alone = new Set(kept(plan(complete, rules, new Date(epoch + 4300 * hour))));
      for (const { keep, snapshot: one } of retention.decisions) {
        if (one.complete) assert.is(keep, alone.has(one.id));
      }
    }),
  );
});

test('a damaged snapshot pushes out no whole one, and goes no sooner than if it were whole', () => {
  const retention = plan([...nightly.slice(0, 9), snapshot('spoilt', 8.5, { damaged: true })], { last: 2 });
  assert.equal(kept(retention), ['spoilt', 'night-8', 'night-7']);
  assert.equal(reasonsFor('spoilt', retention), ['damaged, but none newer is whole']);
  const older = snapshot('spoilt', 7.5, { damaged: true });
  assert.equal(kept(plan([...nightly.slice(0, 9), older], { last: 2 })), ['night-8', 'spoilt', 'night-7']);
  assert.equal(kept(plan([...nightly.slice(0, 10), older], { last: 2 })), ['night-9', 'night-8']);
  fc.assert(
    fc.property(anySnapshots, anyRules, fc.infiniteStream(fc.boolean()), (snapshots, rules, draws) => {
      const now = new Date(epoch + 4300 * hour);
      const some = snapshots.map((one) => ({ ...one, damaged: draws.next().value === true }));
      const whole = some.filter(({ damaged }) => !damaged);
      const asIfWhole = new Set(kept(plan(snapshots, rules, now)));
      const asIfGone = new Set(kept(plan(whole, rules, now)));
      for (const { keep, snapshot: one } of plan(some, rules, now).decisions) {
        if (one.complete && !one.damaged) assert.is(keep, asIfGone.has(one.id));
        if (one.complete && one.damaged && asIfWhole.has(one.id)) assert.ok(keep, one.id);
      }
    }),
  );
});

test('whatever the rules, a clock that is a day or more behind a snapshot removes nothing', () => {
  const behind = fc.integer({ min: 24, max: 24 * 36_500 });
  fc.assert(
    fc.property(anySnapshots, anyRules, behind, (snapshots, rules, hours) => {
      const newest = Math.max(...snapshots.map(({ started }) => started.getTime()));
      const retention = plan(snapshots, rules, new Date(newest - hours * hour));
      assert.ok(retention.blocked);
      assert.is(kept(retention).length, snapshots.length);
    }),
  );
});

test('whatever the rules, one snapshot of a day or more to come removes nothing', () => {
  const ahead = fc.integer({ min: 24, max: 24 * 36_500 });
  fc.assert(
    fc.property(anySnapshots, anyRules, ahead, fc.boolean(), (snapshots, rules, hours, complete) => {
      const now = new Date(epoch + 4300 * hour);
      const wrong = {
        ...snapshot('wrong', 0, { complete }),
        started: new Date(now.getTime() + hours * hour),
      };
      const retention = plan([...snapshots, wrong], rules, now);
      assert.ok(retention.blocked);
      assert.is(kept(retention).length, snapshots.length + 1);
    }),
  );
});

test('whatever the rules, a complete snapshot that was verified last never goes', () => {
  fc.assert(
    fc.property(anySnapshots, anyRules, (snapshots, rules) => {
      for (const { keep, snapshot: one } of plan(snapshots, rules).decisions)
        if (one.complete && one.lastVerified === true) assert.ok(keep, one.id);
    }),
  );
});

test('what is not known for own pushes out nothing of that, and goes by the rules itself', () => {
  const own = (id: string, days: number, more = {}) => snapshot(id, days, { own: true, ...more });
  const claims = [5, 6, 7].map((days) => snapshot(`claim-${days}`, days));
  const mixed = [own('a', 1), own('b', 2), own('c', 3), own('half', 4, { complete: false }), ...claims];
  assert.equal(kept(plan(mixed, { last: 2 })), ['claim-7', 'claim-6', 'half', 'c', 'b']);
  assert.equal(kept(plan([...mixed, own('d', 8), own('e', 9)], { last: 2 })), ['e', 'd']);
});

test.run();

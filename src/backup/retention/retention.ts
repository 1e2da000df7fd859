import type { KeepRules } from '../../deployment/backup-settings.ts';
import { formatMoment } from '../../support/quantities.ts';
import { tagsIn } from '../../support/tags.ts';
import { type Calendar, calendarOf, periods } from './calendar.ts';

/** What the rules need to know of a snapshot. */
export interface Candidate {
  id: string;
  started: Date;
  complete: boolean;
  /** Whether it lost what it told of itself: then nobody knows what it is worth, and no rule decides. */
  rebuilt?: boolean;
  /** Whether something that it needs is lost: then it pushes out no other, and goes when it would if it were whole. */
  damaged?: boolean;
  /** Whether a verification of it, and of nothing newer, was the last to succeed. */
  lastVerified?: boolean;
  /** Whether it is the last one that was made and is whole, whatever the clock said, or proves which one that is. */
  madeLast?: boolean;
  tags?: readonly string[];
  /**
   * Whether the key of this host signed it. Of the others nobody knows whose they are: whatever they say of
   * themselves, they push out none of these.
   */
  own?: boolean;
  /** Snapshots compete with those of their series only: one host's, one deployment's. */
  series: string;
}

/** Which snapshots stay and which go. */
export interface RetentionPlan<T> {
  /** Why nothing is removed, whatever the rules say: the clock cannot be trusted. */
  blocked: string | undefined;
  /** Newest first. */
  decisions: Decision<T>[];
}

export interface Decision<T> {
  snapshot: T;
  keep: boolean;
  /** Every rule that keeps it, or why it goes; never empty. */
  reasons: string[];
}

/**
 * Decides which snapshots to keep, by restic's rules: walking from the newest back, a rule keeps the first snapshot of
 * every period until its count is used up, and the oldest of all while it is not. On top of them the newest complete
 * one and the one last verified always stay, and an incomplete one stays only until a newer complete one exists.
 * Without rules every complete snapshot stays, and one that a repair rebuilt in any case. The rules are applied to
 * those that are whole as if damaged ones were not there; a damaged one stays while they would keep it were it whole,
 * for most of it may be good.
 */
export function planRetention<T extends Candidate>(
  snapshots: readonly T[],
  rules: KeepRules | undefined,
  { now, timeZone }: { now: Date; timeZone?: string },
): RetentionPlan<T> {
  const blocked = distrustOfClock(snapshots, now);
  const calendar = calendarOf(timeZone);
  const series = Map.groupBy(newestFirst(snapshots), (snapshot) => snapshot.series);
  const reasons = new Map([...series.values()].flatMap((one) => [...reasonsAmongOwn(one, rules, calendar)]));
  const decisions = newestFirst(snapshots).map((snapshot) => {
    const keeping = reasons.get(snapshot) ?? [];
    if (keeping.length > 0) return { snapshot, keep: true, reasons: keeping };
    if (blocked !== undefined) return { snapshot, keep: true, reasons: ['the clock is not trusted'] };
    return { snapshot, keep: false, reasons: [snapshot.complete ? 'no rule keeps it' : 'incomplete'] };
  });
  return { blocked, decisions };
}

function newestFirst<T extends Candidate>(snapshots: readonly T[]): T[] {
  return snapshots.toSorted((a, b) => b.started.getTime() - a.started.getTime() || (a.id < b.id ? 1 : -1));
}

/** The rules keep what they keep of all, and what they keep of this host's own. */
function reasonsAmongOwn<T extends Candidate>(
  snapshots: readonly T[],
  rules: KeepRules | undefined,
  calendar: Calendar,
): Map<T, string[]> {
  const own = snapshots.filter((snapshot) => snapshot.own);
  return new Map([...reasonsToKeep(snapshots, rules, calendar), ...reasonsToKeep(own, rules, calendar)]);
}

function reasonsToKeep<T extends Candidate>(
  snapshots: readonly T[],
  rules: KeepRules | undefined,
  calendar: Calendar,
): Map<T, string[]> {
  const complete = snapshots.filter((snapshot) => snapshot.complete);
  const whole = complete.filter(({ damaged }) => !damaged);
  const reasons = new Map([
    ...keptByRules(complete, rules ?? {}, calendar),
    ...keptByRules(whole, rules ?? {}, calendar),
  ]);
  for (const snapshot of complete) {
    if (!hasRule(rules)) reasons.get(snapshot)?.push('no rules are set');
    if (snapshot.lastVerified === true) reasons.get(snapshot)?.push('last verified');
    if (snapshot === whole[0] || snapshot.madeLast === true) reasons.get(snapshot)?.push('newest');
  }
  for (const snapshot of snapshots) {
    if (snapshot === whole[0]) break;
    const flaw = snapshot.complete
      ? 'damaged, but none newer is whole'
      : 'incomplete, but none newer is complete';
    reasons.set(snapshot, [flaw]);
  }
  for (const snapshot of snapshots)
    if (snapshot.rebuilt) reasons.set(snapshot, ['rebuilt by a repair: removed by hand only']);
  return reasons;
}

function hasRule(rules: KeepRules = {}): boolean {
  const { tags = [], within, ...counts } = rules;
  return tags.length > 0 || within !== undefined || Object.values(counts).some((count) => count > 0);
}

/** restic's own rules, in its order, over complete snapshots sorted newest first. */
function keptByRules<T extends Candidate>(
  snapshots: readonly T[],
  rules: KeepRules,
  calendar: Calendar,
): Map<T, string[]> {
  const reasons = new Map(snapshots.map((snapshot) => [snapshot, [] as string[]]));
  const newest = snapshots[0]?.started ?? new Date(0);
  const begin = rules.within && calendar.earlier(newest, rules.within);
  for (const [snapshot, why] of reasons) {
    const tag = rules.tags?.find((wanted) => bearsAll(snapshot, wanted));
    if (tag !== undefined) why.push(`tag ${tag}`);
    if (begin !== undefined && snapshot.started > begin) why.push('within');
  }
  for (const snapshot of newestOfEach(snapshots, rules.last, ({ id }) => id)) {
    reasons.get(snapshot)?.push('last');
  }
  for (const period of periods) {
    const nameOf = ({ started }: T) => calendar.nameOf(started, period);
    for (const snapshot of newestOfEach(snapshots, rules[period], nameOf)) {
      reasons.get(snapshot)?.push(period);
    }
  }
  return reasons;
}

/** Whether it bears the tag, or each of several with commas between. */
function bearsAll({ tags = [] }: Candidate, wanted: string): boolean {
  return tagsIn(wanted).every((tag) => tags.includes(tag));
}

function newestOfEach<T>(
  snapshots: readonly T[],
  count: number | undefined,
  nameOf: (snapshot: T) => string,
): T[] {
  const kept: T[] = [];
  let previous: string | undefined;
  for (const [index, snapshot] of snapshots.entries()) {
    if (kept.length >= (count ?? 0)) break;
    const name = nameOf(snapshot);
    if (name !== previous || index === snapshots.length - 1) kept.push(snapshot);
    previous = name;
  }
  return kept;
}

/** Whether what began then, as it says, shows that one of the two clocks is wrong. */
export function isAhead(started: Date, now: Date): boolean {
  return started.getTime() - now.getTime() >= day;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Longer than anybody who prunes goes without a backup, shorter than a year that was mistyped. */
const leap = 180 * day;

/**
 * A clock set wrong makes old snapshots look young or young ones old. It is not trusted when a snapshot lies a day or
 * more ahead of it, nor for a week after it leapt half a year over time without any snapshot.
 */
function distrustOfClock(snapshots: readonly Candidate[], now: Date): string | undefined {
  const times = snapshots.map(({ started }) => started.getTime()).sort((a, b) => a - b);
  const newest = times.at(-1);
  if (newest === undefined) return undefined;
  if (isAhead(new Date(newest), now)) {
    return `the clock says ${formatMoment(now)}, but there is a snapshot of ${formatMoment(new Date(newest))}`;
  }
  const moments = [...times, now.getTime()];
  for (const [index, moment] of moments.entries()) {
    const before = moments[index - 1] ?? moment;
    if (moment - before <= leap || now.getTime() - moment >= 7 * day) continue;
    return `the clock leapt from ${formatMoment(new Date(before))} to ${formatMoment(new Date(moment))}`;
  }
  return undefined;
}

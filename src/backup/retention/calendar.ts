import type { CalendarSpan } from '../../deployment/backup-settings.ts';

export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof periods)[number];

/** Where a wall clock stands, and stood. */
export interface Calendar {
  /** Names the hour, day, ISO week, month or year of a moment: equal names, same period. */
  nameOf(moment: Date, period: Period): string;
  /**
   * The moment so much earlier. As in restic, days that a month lacks run over: one month before March 31 is March 3.
   */
  earlier(moment: Date, span: CalendarSpan): Date;
}

/**
 * `timeZone` as IANA names it (`Europe/Berlin`); this host's when left out, which may have no such name. Throws
 * `RangeError` when there is no such zone.
 */
export function calendarOf(timeZone: string | undefined): Calendar {
  return { nameOf: periodNamer(timeZone), earlier: subtractor(timeZone) };
}

function periodNamer(timeZone: string | undefined): Calendar['nameOf'] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
  });
  return (moment, period) => {
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
    const [year = '', month = '', day = ''] = [parts.get('year'), parts.get('month'), parts.get('day')];
    switch (period) {
      case 'hourly':
        return `${year}-${month}-${day} ${parts.get('hour')}`;
      case 'daily':
        return `${year}-${month}-${day}`;
      case 'weekly':
        return isoWeek(Date.UTC(Number(year), Number(month) - 1, Number(day)));
      case 'monthly':
        return `${year}-${month}`;
      case 'yearly':
        return year;
    }
  };
}

const day = 86_400_000;

/** ISO 8601: weeks begin on Monday and belong to the year that holds their Thursday. */
function isoWeek(midnight: number): string {
  const weekday = (new Date(midnight).getUTCDay() + 6) % 7;
  const thursday = midnight + (3 - weekday) * day;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * day)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function subtractor(timeZone: string | undefined): Calendar['earlier'] {
  const offsetAt = offsetsOf(timeZone);
  return (moment, { years, months, days, hours }) => {
    const wall = new Date(moment.getTime() + offsetAt(moment.getTime()));
    const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
    const there = wall.setUTCFullYear(year - years, month - months, day - days);
    const nearby = there - offsetAt(there); // The moment itself, unless clocks were changed in the hours between.
    return new Date(there - offsetAt(nearby) - hours * hour);
  };
}

const hour = 3_600_000;

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
function offsetsOf(timeZone: string | undefined): (moment: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (moment) => {
    const name = format.formatToParts(moment).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d+):(\d+)(?::(\d+))?$/.exec(name) ?? [];
    const ahead = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -ahead : ahead;
  };
}

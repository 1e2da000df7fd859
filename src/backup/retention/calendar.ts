export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof periods)[number];

/** Names the hour, day, ISO week, month or year of a moment on a wall clock: equal names, same period. */
export type PeriodNamer = (moment: Date, period: Period) => string;

/** `timeZone` as IANA names it (`Europe/Berlin`). Throws `RangeError` when there is no such zone. */
export function periodNamer(timeZone: string): PeriodNamer {
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

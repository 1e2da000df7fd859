import type { CalendarSpan } from '../backup-settings.ts';

const sizes: Record<string, number> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/**
 * Bytes of `10GiB`, `64m`, `1.5 GB` or `4096`. Units count in powers of 1024 however they are spelled, as Compose and
 * the engine do. `undefined` when it is no size.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * (sizes[(match[2] ?? '').toLowerCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const seconds: Record<string, number> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
  y: 365 * 86_400,
};

/** Seconds of `90s`, `1m30s`, `36h` or `30d`; also of years `y` and weeks `w`. `undefined` when it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:us|ms|[smhdwy]))+$/.test(text.trim())) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|[smhdwy])/g)) {
    total += Number(amount) * (seconds[unit ?? 's'] ?? 1);
  }
  return Number.isFinite(total) ? total : undefined;
}

/**
 * `1y5m7d2h` as restic reads it, where `m` is months, and weeks `2w` besides. `undefined` when it is none, or no time
 * at all.
 */
export function parseCalendarSpan(text: string): CalendarSpan | undefined {
  if (!/^(?:\d{1,5}[ymwdh])+$/.test(text.trim())) return undefined;
  const sum = { y: 0, m: 0, w: 0, d: 0, h: 0 };
  for (const [, amount, unit] of text.matchAll(/(\d+)([ymwdh])/g)) sum[unit as 'y'] += Number(amount);
  const { y: years, m: months, w: weeks, d: days, h: hours } = sum;
  const span = { years, months, days: days + 7 * weeks, hours };
  return Object.values(span).some((amount) => amount > 0) ? span : undefined;
}

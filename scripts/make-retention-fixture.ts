/**
 * Asks a real restic (0.16 or later) what it would keep, and writes `fixtures/retention/restic.json` from its answers.
 *
 *   scripts/node scripts/make-retention-fixture.ts PATH-OF-RESTIC
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const timeZone = 'Europe/Berlin';
const policies: Record<string, number | string | string[]>[] = [
  { last: 1 },
  { last: 5 },
  { last: 1000 },
  { hourly: 8 },
  { daily: 7 },
  { daily: 400 },
  { weekly: 5 },
  { weekly: 60 },
  { monthly: 6 },
  { monthly: 100 },
  { yearly: 2 },
  { yearly: 10 },
  { last: 3, daily: 7, weekly: 4, monthly: 6 },
  { hourly: 24, daily: 31, weekly: 52, monthly: 24, yearly: 5 },
  { within: '30d' },
  { within: '3d', monthly: 3 },
  { within: '3m' },
  { within: '1y' },
  { within: '1y10m22d3h' },
  { tags: ['night'] },
  { tags: ['night', 'week'] },
  { tags: ['night,week'], last: 2 },
];

/** Local wall-clock times: nightly, hourly over both changes of summer time, around new years, and far apart. */
function times(): string[] {
  const moments: Date[] = [];
  const add = (start: string, count: number, step: number): void => {
    for (let i = 0; i < count; i++) moments.push(new Date(Date.parse(start) + i * step));
  };
  const hour = 3_600_000;
  add('2023-02-11T03:00:00Z', 3, 200 * 24 * hour);
  add('2024-12-28T01:30:00Z', 8, 24 * hour);
  add('2025-03-29T22:10:00Z', 9, hour);
  add('2025-05-01T01:00:00Z', 6, 9 * 24 * hour);
  add('2025-10-25T21:20:00Z', 9, hour / 2);
  add('2025-12-20T23:50:00Z', 14, 24 * hour);
  add('2026-01-20T11:00:00Z', 7, 5 * hour);
  return [...new Set(moments.map((moment) => moment.toISOString()))].sort();
}

function main(restic: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'retention-'));
  const env = { ...process.env, TZ: timeZone, RESTIC_PASSWORD: 'x', RESTIC_REPOSITORY: join(directory, 'r') };
  const run = (...args: string[]): string =>
    execFileSync(restic, ['--no-cache', ...args], {
      env,
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  try {
    writeFileSync(join(directory, 'f'), '');
    run('init', '--quiet');
    for (const [index, time] of times().entries()) {
      const tags = index % 3 === 0 ? [] : ['--tag', index % 5 === 0 ? 'night,week' : 'night'];
      run('backup', '--quiet', '--force', '--time', wallClock(time), ...tags, 'f');
    }
    const cases = policies.map((rules) => ({ rules, keep: keptBy(run, rules) }));
    mkdirSync('fixtures/retention', { recursive: true });
    const fixture = { restic: run('version').trim(), timeZone, snapshots: snapshots(run), cases };
    writeFileSync('fixtures/retention/restic.json', `${JSON.stringify(fixture, null, 2)}\n`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Run = (...args: string[]) => string;

function snapshots(run: Run): { time: string; tags: string[] }[] {
  const all = JSON.parse(run('snapshots', '--json')) as { time: string; tags?: string[] }[];
  return all
    .map(({ time, tags = [] }) => ({ time: utc(time), tags }))
    .sort((a, b) => (a.time < b.time ? -1 : 1));
}

function keptBy(run: Run, rules: Record<string, number | string | string[]>): string[] {
  const options = Object.entries(rules).flatMap(([rule, value]) =>
    Array.isArray(value) ? value.map((tag) => `--keep-tag=${tag}`) : [`--keep-${rule}=${value}`],
  );
  const [group] = JSON.parse(run('forget', '--dry-run', '--json', ...options)) as {
    keep: { time: string }[];
  }[];
  return (group?.keep ?? []).map(({ time }) => utc(time)).sort();
}

function utc(time: string): string {
  return new Date(time).toISOString();
}

function wallClock(time: string): string {
  const format = { timeZone, dateStyle: 'short', timeStyle: 'medium' } as const;
  return new Intl.DateTimeFormat('sv-SE', format).format(new Date(time));
}

const [, , restic = 'restic'] = process.argv;
main(restic);

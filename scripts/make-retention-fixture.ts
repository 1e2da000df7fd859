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
const policies: Record<string, number>[] = [
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
  { within: 30 * 86_400 },
  { within: 3 * 86_400, monthly: 3 },
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
    for (const time of times()) run('backup', '--quiet', '--force', '--time', wallClock(time), 'f');
    const cases = policies.map((rules) => ({ rules, keep: keptBy(run, rules) }));
    mkdirSync('fixtures/retention', { recursive: true });
    const fixture = { restic: run('version').trim(), timeZone, snapshots: snapshotTimes(run), cases };
    writeFileSync('fixtures/retention/restic.json', `${JSON.stringify(fixture, null, 2)}\n`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Run = (...args: string[]) => string;

function snapshotTimes(run: Run): string[] {
  return (JSON.parse(run('snapshots', '--json')) as { time: string }[]).map(({ time }) => utc(time)).sort();
}

function keptBy(run: Run, rules: Record<string, number>): string[] {
  const options = Object.entries(rules).map(([rule, value]) =>
    rule === 'within' ? `--keep-within=${value / 3600}h` : `--keep-${rule}=${value}`,
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

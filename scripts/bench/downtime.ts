/**
 * What customers notice of a first full backup: `npm run bench -- downtime [ROUNDS]`. Clients ask nginx and PostgreSQL
 * every 10 ms, in peace, through a backup of everything, and in peace again; prints the 99th percentile of peace and
 * backup, and their ratio. Build first. Like the demo it has a network namespace and an engine of its own.
 */
import { spawnSync } from 'node:child_process';

const { status } = spawnSync(
  'unshare',
  ['--net', '--', process.execPath, 'scripts/bench/downtime/main.ts', process.argv[2] ?? '3'],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;

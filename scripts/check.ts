/** Type check, lint and format check. */
import { spawnSync } from 'node:child_process';

for (const [command, ...args] of [
  ['tsc', '--noEmit'],
  ['biome', 'check', '--colors=off', '--error-on-warnings', '.'],
] as const) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

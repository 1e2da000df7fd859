/**
 * Kills `dockerctl backup`, `backup prune` and, of damaged repositories, `backup repair` at random moments, plain and
 * encrypted, and checks after each what is there: `npm run torture -- kill [KILLS] [SEED]`. Ends with 1 at the first
 * that is not as it should be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killCommands } from '../../test/e2e/torture/killed-commands.ts';
import { killRepairs } from '../../test/e2e/torture/killed-repairs.ts';
import { sealings } from '../../test/repository/sealings.ts';

const kills = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1e9);

for (const [name, keys] of sealings) {
  for (const [what, kill] of [
    ['backups and prunes', killCommands],
    ['repairs', killRepairs],
  ] as const) {
    const home = mkdtempSync(join(tmpdir(), 'dockerctl-kill-'));
    const start = performance.now();
    try {
      const counts = await kill({ home, keys, kills, seed });
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      console.log(
        `${name} ${what}, seed ${seed}, ${seconds} s: as it should be after each, ${JSON.stringify(counts)}`,
      );
    } finally {
      rmSync(home, { recursive: true });
    }
  }
}

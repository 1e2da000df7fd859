/**
 * Runs what makes, sends, receives, prunes, checks, lists, exports, imports and restores backups with system calls failing,
 * plain and encrypted: `npm run torture -- errors [FAILURES] [SEED]`. Ends with 1 at the first that does not end as it
 * should. Needs gcc.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failCalls } from '../../test/e2e/torture/failing-disk.ts';
import { FailingHosts } from '../../test/e2e/torture/failing-hosts.ts';
import { sealings } from '../../test/repository/sealings.ts';

const failures = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 1e9);

for (const [name, keys] of sealings) {
  const home = mkdtempSync(join(tmpdir(), 'dockerctl-errors-'));
  const start = performance.now();
  try {
    const counts = await failCalls(await FailingHosts.open({ home, keys, seed }), { failures, seed });
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `${name}, seed ${seed}, ${seconds} s: as it should be after each, exit statuses ${JSON.stringify(counts)}`,
    );
  } finally {
    rmSync(home, { recursive: true });
  }
}

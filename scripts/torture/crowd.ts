/**
 * Lets commands loose on one repository at the same time, plain and encrypted, and checks what is there when they have
 * ended: `npm run torture -- crowd [ROUNDS] [SEED]`. Ends with 1 at the first round that is not as it should be.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crowdRepository } from '../../test/e2e/torture/crowd.ts';
import { sealings } from '../../test/repository/sealings.ts';
import { standInForSsh } from '../../test/support/ssh-stand-in.ts';

const rounds = Number(process.argv[2] ?? 40);
const seed = Number(process.argv[3] ?? Date.now() % 1e9);
const root = mkdtempSync(join(tmpdir(), 'dockerctl-crowd-'));

try {
  standInForSsh(root);
  for (const [name, keys] of sealings) {
    const home = join(root, name);
    mkdirSync(home);
    const start = performance.now();
    const counts = await crowdRepository({ home, keys, rounds, seed });
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${name}, seed ${seed}, ${seconds} s: as it should be after each, ${JSON.stringify(counts)}`);
  }
} finally {
  rmSync(root, { recursive: true });
}

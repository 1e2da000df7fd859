/**
 * Flips every byte of a small repository, one at a time, plain and encrypted: `npm run torture -- flip [STEP]` flips
 * each STEP-th. Ends with 1 at the first flip that `backup verify --read-data` does not find or does not lay at the
 * right door.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealings } from '../../test/repository/sealings.ts';
import { flipBytes } from '../../test/repository/torture/flip-bytes.ts';

/** In memory where there is some: every flip is written, and synced are only records of damage. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const step = Number(process.argv[2] ?? 1);

for (const [name, keys] of sealings) {
  const root = mkdtempSync(join(scratch, 'dockerctl-flip-'));
  const start = performance.now();
  try {
    const flipped = await flipBytes(root, keys, () => step);
    const total = [...flipped.values()].reduce((sum, count) => sum + count, 0);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const kinds = [...flipped].map(([kind, count]) => `${kind} ${count}`).join(', ');
    console.log(`${name}: ${total} bytes flipped in ${seconds} s, each was found (${kinds})`);
  } finally {
    rmSync(root, { recursive: true });
  }
}

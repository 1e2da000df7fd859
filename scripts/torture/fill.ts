/**
 * Backs up to and prunes on small disks that are full at one moment or another, tmpfs and ext4, plain and encrypted:
 * `npm run torture -- fill [FILLS]`. Ends with 1 at the first that does not end as it should. Needs root.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillDisk } from '../../test/e2e/torture/full-disk.ts';
import { sealings } from '../../test/repository/sealings.ts';
import { mountExt4, mountTmpfs } from '../../test/support/small-disk.ts';

const fills = Number(process.argv[2] ?? 20);
const size = { mebibytes: 24, inodes: 200 };

for (const [name, mount] of [
  ['tmpfs', mountTmpfs],
  ['ext4', mountExt4],
] as const) {
  for (const [how, keys] of sealings) {
    const root = mkdtempSync(join(tmpdir(), 'dockerctl-fill-'));
    const disk = mount(join(root, 'disk'), size);
    try {
      const home = join(root, 'home');
      mkdirSync(home);
      const counts = await fillDisk({ home, disk, keys, fills });
      console.log(`${name}, ${how}: as it should be after each; exit statuses ${JSON.stringify(counts)}`);
    } finally {
      disk.remove();
      rmSync(root, { recursive: true });
    }
  }
}

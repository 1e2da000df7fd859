import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { seed } from '../random.ts';
import { Disk, type Survivors } from './disk.ts';
import { record } from './record.ts';

export interface Cuts {
  /** A directory that stands for a disk: only what a command does in there counts. */
  disk: string;
  command: readonly string[];
  /** Where copies and the recording may lie. */
  scratch: string;
  survivors: readonly Survivors[];
}

/**
 * Records a command, and shows `check` every different state that the disk could be in after a power cut during it; then
 * `checkEnd` what is there for certain once it has ended.
 * @returns how many there are
 */
export async function cutEverywhere(
  { disk, command, scratch, survivors }: Cuts,
  check: (copy: string, when: string) => Promise<void>,
  checkEnd?: (copy: string) => Promise<void>,
): Promise<number> {
  const model = new Disk(disk);
  const copy = join(scratch, 'cut');
  const seen = new Set<string>();
  for (const [i, operation] of record(command, disk, scratch).entries()) {
    model.apply(operation);
    for (const each of survivors) {
      rmSync(copy, { recursive: true, force: true });
      model.materialize(copy, each);
      const before = seen.size;
      if (seen.add(stateOf(copy)).size === before) continue;
      await check(copy, `seed ${seed}: ${operation.call}, operation ${i}, ${each}`);
    }
  }
  rmSync(copy, { recursive: true, force: true });
  model.materialize(copy, 'synced');
  await checkEnd?.(copy);
  return seen.size;
}

function stateOf(directory: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\0`);
    // What the reserve holds is random and means nothing.
    if (entry.isFile() && entry.name !== 'reserve') hash.update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

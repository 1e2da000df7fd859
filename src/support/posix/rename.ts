import { cString, secondCString } from './byte-path.ts';
import { check, libc } from './libc.ts';

const modes = { replace: 0, keep: 1, exchange: 2 } as const;

/**
 * Renames by directory handle. `keep` fails with `EEXIST` when the new name is taken; `exchange` swaps the two in one
 * step, whatever kind they are.
 */
export function renameAt(
  oldDirectory: number,
  oldName: string,
  newDirectory: number,
  newName: string,
  mode: keyof typeof modes = 'replace',
): void {
  const flags = modes[mode];
  const result = libc().renameat2(
    oldDirectory,
    cString(oldName),
    newDirectory,
    secondCString(newName),
    flags,
  );
  check(result, 'renameat2', oldName);
}

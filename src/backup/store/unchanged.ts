import type { Entry } from '../../repository/entry.ts';
import type { PreviousFile } from '../../repository/run/run.ts';
import type { Stat } from '../../support/posix/stat.ts';

/**
 * Whether a file is what the previous snapshot says, so that nothing of it needs to be read: every change of content,
 * owner, mode or attributes moves its ctime. Only a ctime older than `trustedBefore` can tell, for a second
 * change in the same tick of the kernel's clock would not move it.
 *
 * @param link the name under which the same file was seen before, in this walk
 */
export function isUnchanged(
  stat: Stat,
  link: string | undefined,
  before: PreviousFile,
  trustedBefore: bigint,
): boolean {
  if (stat.ctime >= trustedBefore) return false;
  if (link === undefined && before.isPlainly(stat)) return true;
  return before.entry !== undefined && saysTheSame(before.entry, stat, link);
}

function saysTheSame(before: Entry, stat: Stat, link: string | undefined): boolean {
  return (
    before.ctime === stat.ctime &&
    before.hardlink === link &&
    before.mtime === stat.mtime &&
    before.inode === Number(stat.inode) &&
    before.type === stat.type &&
    before.flag === undefined &&
    (stat.type !== 'file' || before.size === stat.size)
  );
}

/** The kernel's clock for files lags by up to a tick, which is 10 ms on the slowest kernels. */
const clockSlack = 20_000_000n;

/** For `isUnchanged`: files that changed after this may have changed again after they were read. */
export function trustedBefore(previousRunStarted: Date | undefined): bigint {
  if (previousRunStarted === undefined) return 0n;
  return BigInt(previousRunStarted.getTime()) * 1_000_000n - clockSlack;
}

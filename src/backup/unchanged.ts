import type { Entry } from '../repository/entry.ts';
import type { Stat } from '../support/posix/stat.ts';

/**
 * Whether a file is what the previous snapshot says, so that nothing of it needs to be read: every change of content,
 * owner, mode or attributes moves its ctime. Only a ctime older than `trustedBefore` can tell, for a second
 * change in the same tick of the kernel's clock would not move it.
 */
export function isUnchanged(stat: Stat, before: Entry, trustedBefore: bigint): boolean {
  return (
    before.ctime === stat.ctime &&
    stat.ctime < trustedBefore &&
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

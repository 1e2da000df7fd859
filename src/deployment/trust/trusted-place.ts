import { lstat, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../../support/errors.ts';

/** What a file is, and what whoever could write it could do; for the message. */
interface About {
  purpose: string;
  danger: string;
}

/**
 * Refuses a file that anybody but root and whoever runs dockerctl could write, or put another one in its place.
 * @param status of the file itself, behind any links
 * @throws {UsageError}
 */
export async function requireTrustedPlace(path: string, status: Ownership, about: About): Promise<void> {
  refuseForeignWriters(status, path, path, about);
  await checkDirectories(path, about);
}

/** Both the directories that the path names and those that it leads to through links. */
async function checkDirectories(path: string, about: About): Promise<void> {
  for (const start of new Set([resolve(path), await realpath(path)])) {
    const parent = dirname(start);
    for (let directory = parent; ; directory = dirname(directory)) {
      const status = await lstat(await realpath(directory));
      // Who may only add names to a directory far above cannot replace ours in it.
      const sticky = (status.mode & 0o1000) !== 0 && directory !== parent;
      if (!sticky) refuseForeignWriters(status, directory, path, about);
      if (directory === dirname(directory)) break;
    }
  }
}

interface Ownership {
  uid: number;
  mode: number;
}

function refuseForeignWriters(
  { uid, mode }: Ownership,
  what: string,
  path: string,
  { purpose, danger }: About,
): void {
  const self = process.geteuid?.() ?? 0;
  const subject = what === path ? 'it' : `its directory ${what}`;
  const facts = { file: path, path: what };
  if (uid !== 0 && uid !== self) {
    throw new UsageError(`cannot use the ${purpose} ${path}: ${subject} belongs to user ${uid}`, {
      advice: `${danger}; if you trust it: chown ${self} ${what}`,
      facts,
    });
  }
  if ((mode & 0o022) !== 0) {
    // A sticky directory is everybody's by design, as /tmp is: without that right the host would break.
    const remedy =
      (mode & 0o1000) === 0
        ? `if you trust it: chmod go-w ${what}`
        : 'put it into a directory of its own that only root may write';
    throw new UsageError(`cannot use the ${purpose} ${path}: ${subject} can be written by others`, {
      advice: `${danger}; ${remedy}`,
      facts,
    });
  }
}

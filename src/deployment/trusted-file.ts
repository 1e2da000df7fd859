import { constants } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf, NotFoundError, UsageError } from '../support/errors.ts';

/** Far more than any deployment needs. */
const sizeLimit = 4 * 2 ** 20;

/**
 * The text of a file that may name commands which root runs. Refuses it when anybody but root and whoever runs
 * dockerctl could write it, or put another one in its place.
 *
 * @throws NotFoundError when there is none
 * @throws UsageError when it is not trustworthy, no regular file, too large or not UTF-8
 */
export async function readTrustedFile(path: string, purpose: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw cannotOpen(path, purpose, error);
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unusable(path, purpose, 'it is not a regular file');
    if (status.size > sizeLimit) throw unusable(path, purpose, `it is larger than ${sizeLimit} bytes`);
    refuseForeignWriters(status, path, path, purpose);
    await checkDirectories(path, purpose);
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile());
  } catch (error) {
    if (error instanceof TypeError) throw unusable(path, purpose, 'it is not UTF-8 text');
    throw error;
  } finally {
    await file.close();
  }
}

/** Both the directories that the path names and those that it leads to through links. */
async function checkDirectories(path: string, purpose: string): Promise<void> {
  for (const start of new Set([resolve(path), await realpath(path)])) {
    const parent = dirname(start);
    for (let directory = parent; ; directory = dirname(directory)) {
      const status = await lstat(await realpath(directory));
      // Who may only add names to a directory far above cannot replace ours in it.
      const sticky = (status.mode & 0o1000) !== 0 && directory !== parent;
      if (!sticky) refuseForeignWriters(status, directory, path, purpose);
      if (directory === dirname(directory)) break;
    }
  }
}

interface Ownership {
  uid: number;
  mode: number;
}

function refuseForeignWriters({ uid, mode }: Ownership, what: string, path: string, purpose: string): void {
  const self = process.geteuid?.() ?? 0;
  const subject = what === path ? 'it' : `its directory ${what}`;
  const facts = { file: path, path: what };
  if (uid !== 0 && uid !== self) {
    throw new UsageError(`cannot use the ${purpose} ${path}: ${subject} belongs to user ${uid}`, {
      advice: `It may name commands that dockerctl runs; if you trust it: chown ${self} ${what}`,
      facts,
    });
  }
  if ((mode & 0o022) !== 0) {
    throw new UsageError(`cannot use the ${purpose} ${path}: ${subject} can be written by others`, {
      advice: `It may name commands that dockerctl runs; if you trust it: chmod go-w ${what}`,
      facts,
    });
  }
}

function unusable(path: string, purpose: string, reason: string): UsageError {
  return new UsageError(`cannot use the ${purpose} ${path}: ${reason}`, { facts: { file: path } });
}

function cannotOpen(path: string, purpose: string, cause: unknown): Error {
  const facts = { file: path };
  if (codeOf(cause) === 'ENOENT')
    return new NotFoundError(`there is no ${purpose} ${path}`, { facts, cause });
  return new UsageError(`cannot read the ${purpose} ${path}: ${messageOf(cause)}`, { facts, cause });
}

import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createLayout, isLayout } from '../oci/layout.ts';
import { listBlobs } from '../oci/layout-blobs.ts';
import type { Context } from '../support/context.ts';
import { isTemporaryName } from '../support/durable.ts';
import {
  codeOf,
  DamagedError,
  FailedError,
  isForbidden,
  messageOf,
  NotFoundError,
  UsageError,
} from '../support/errors.ts';
import type { Identity } from './age/keys.ts';
import { DirectoryRepository } from './directory-repository.ts';
import type { Repository } from './repository.ts';
import type { OwnProof } from './signed/newest-own.ts';
import type { Origin } from './snapshot/origin.ts';
import { writeError } from './write-error.ts';

/** How a repository is opened. */
export interface OpenOptions {
  /** Private keys that open what is sealed. Runs, lists and checks of digests need none. */
  identities?: readonly Identity[];
  /**
   * Whose newest complete snapshot `latest` is: once there is one that is proven to be theirs, one that only says so
   * is not meant. Left out: that of whoever made one.
   */
  origin?: Origin & OwnProof;
}

/**
 * Opens the repository in `directory`; whoever opens it closes it.
 * @throws {NotFoundError} when there is none @throws {DamagedError} when its blobs are gone
 * @throws {FailedError} when this user may not look into it
 */
export async function openRepository(
  directory: string,
  context: Context,
  options: OpenOptions = {},
): Promise<Repository> {
  if (!(await isRepository(directory))) {
    throw new NotFoundError(`opening the backup repository ${directory}: there is none`, {
      advice: 'Mount its disk, or name the directory that the backups went to; the first backup creates it',
      facts: { path: directory },
    });
  }
  await requireBlobs(directory);
  return new DirectoryRepository(directory, context, options);
}

/**
 * Opens the repository in `directory`, creating it when the directory is missing or empty; whoever opens it closes it.
 * @throws {UsageError} when something else is in there @throws {DamagedError} when its blobs are gone
 * @throws {FailedError} when it cannot be made, or this user may not look into it @throws {NoSpaceError}
 */
export async function openOrCreateRepository(
  directory: string,
  context: Context,
  options: OpenOptions = {},
): Promise<Repository> {
  if (!(await isRepository(directory))) {
    await create(directory).catch((error: unknown) => {
      throw writeError(directory, error, `creating a backup repository in ${directory}`);
    });
  }
  await requireBlobs(directory);
  return new DirectoryRepository(directory, context, options);
}

async function create(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  if (names.some((name) => !ours.has(name) && !isTemporaryName(name))) {
    throw new UsageError(`creating a backup repository in ${directory}: other files are in there`, {
      advice: 'Name an empty directory, or one that does not exist',
      facts: { path: directory },
    });
  }
  await createLayout(directory);
  for (const name of names) if (isTemporaryName(name)) await unlink(join(directory, name));
}

/** What a creation that was killed leaves; and an empty file system's own directory. */
const ours = new Set(['blobs', 'tmp', 'index.json', 'lost+found']);

/** One that lost its `oci-layout` is one all the same: `repair` writes it anew. */
async function isRepository(directory: string): Promise<boolean> {
  try {
    return (await isLayout(directory)) || (await listBlobs({ directory })).length > 0;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw cannotOpen(directory, error);
  }
}

/** @throws {DamagedError} when it says that it is a repository, and what it consists of is not there */
async function requireBlobs(directory: string): Promise<void> {
  const found = await stat(join(directory, 'blobs', 'sha256')).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw cannotOpen(directory, error);
  });
  if (found?.isDirectory()) return;
  throw new DamagedError(`opening the backup repository ${directory}: its directory blobs/sha256 is gone`, {
    advice: 'Bring that directory back from a copy; to begin anew, carry the rest away',
    facts: { path: directory },
  });
}

function cannotOpen(directory: string, error: unknown): Error {
  const what = `opening the backup repository ${directory}`;
  if (!isForbidden(error)) return writeError(directory, error, what);
  return new FailedError(`${what}: ${messageOf(error)}`, {
    advice: 'Run it as the user who makes the backups, which is root unless somebody chose another',
    cause: error,
  });
}

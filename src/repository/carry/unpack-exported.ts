import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveInput } from '../../archive/input.ts';
import type { Context } from '../../support/context.ts';
import type { Identity } from '../age/keys.ts';
import { delegate } from '../delegate.ts';
import { isInUse } from '../locks.ts';
import { openOrCreateRepository } from '../open.ts';
import type { ReadableRepository } from '../repository.ts';
import type { TrustedKeys } from '../signed/provenance.ts';
import { importArchive } from './import-archive.ts';

/** Where an archive is unpacked, and for whom. */
export interface UnpackOptions {
  /** Directories are made in here, and removed when nobody needs them. */
  parent: string;
  identities: readonly Identity[];
  keys: TrustedKeys;
  /** Whether somebody will open a directory again, who was killed. */
  isNeeded(directory: string): Promise<boolean>;
}

/**
 * Makes a repository of an archive that can only be read from its beginning to its end, for as long as it is open.
 * @throws as `importArchive` does, and nothing of it stays
 */
export async function unpackExported(
  input: ArchiveInput,
  options: UnpackOptions,
  context: Context,
): Promise<ReadableRepository> {
  const { parent, identities, keys } = options;
  await removeLeftovers(options, context.now());
  const directory = join(parent, randomBytes(4).toString('hex'));
  const repository = await openOrCreateRepository(directory, context, { identities });
  try {
    await importArchive(repository, input, { keys }, context);
    return removedWhenClosed(repository, options);
  } catch (error) {
    await repository.close();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The same repository; closing it removes it, unless it is needed again. */
export function removedWhenClosed(
  repository: ReadableRepository,
  { isNeeded }: Pick<UnpackOptions, 'isNeeded'>,
): ReadableRepository {
  const { directory } = repository;
  return delegate(repository, {
    async close() {
      await repository.close();
      if (!(await isNeeded(directory))) await rm(directory, { recursive: true, force: true });
    },
  });
}

/** Of whoever was killed before anything depended on them. */
async function removeLeftovers({ parent, isNeeded }: UnpackOptions, now: Date): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const directory = join(parent, name);
    if (isInUse(directory, now) || (await isNeeded(directory))) continue;
    await rm(directory, { recursive: true, force: true });
  }
}

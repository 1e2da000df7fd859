import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ArchiveInput } from '../../archive/input.ts';
import type { UnpackOptions } from '../../repository/carry/unpack-exported.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { TrustedKeys } from '../../repository/signed/provenance.ts';
import { DamagedError, UsageError } from '../../support/errors.ts';
import type { Session } from '../context.ts';
import { archiveInputs, refuseRepositories } from './archive-inputs.ts';
import { openBackupRepository, readIdentities } from './backup-repository.ts';

export interface RestoreSource {
  repository: ReadableRepository;
  /** Which of its snapshots is meant. */
  snapshot: string;
}

interface SourceOptions {
  repository?: string;
  identity?: readonly string[];
}

/**
 * What `restore SNAPSHOT|FILE` reads: a snapshot of a repository, or an exported archive, of which all volumes may be
 * named.
 */
export async function openRestoreSource(
  session: Session,
  named: readonly string[],
  options: SourceOptions,
  keys: TrustedKeys,
): Promise<RestoreSource> {
  const [first = ''] = named;
  if (named.every(isFile)) return openFiles(session, named, options, keys);
  if (named.length === 1) {
    const repository = await openBackupRepository(session, options.repository, options.identity);
    return { repository, snapshot: first };
  }
  throw new UsageError(`restore ${named.join(' ')}: one snapshot at a time`, {
    advice: 'Name one, or all volumes of one exported archive; sources are chosen with --only',
  });
}

/** Opens again what an unfinished restore reads, or the directory named, where that is elsewhere now. */
export async function reopenRestoreSource(
  session: Session,
  where: string,
  { repository: named, identity }: SourceOptions,
): Promise<ReadableRepository> {
  if (named !== undefined) return openBackupRepository(session, named, identity);
  if (!(await stat(where).catch(() => undefined))?.isFile()) {
    const repository = await openBackupRepository(session, where, identity);
    if (dirname(where) !== unpackedDirectory(session)) return repository;
    const { removedWhenClosed } = await import('../../repository/carry/unpack-exported.ts');
    return removedWhenClosed(repository, { isNeeded: (directory) => isNeeded(session, directory) });
  }
  return (await openFiles(session, [where], identity === undefined ? {} : { identity }, {})).repository;
}

/** A snapshot is named by an id, which has neither. */
function isFile(name: string): boolean {
  return name === '-' || name.includes('/') || name.includes('.');
}

async function openFiles(
  session: Session,
  files: readonly string[],
  { repository: named, identity }: SourceOptions,
  keys: TrustedKeys,
): Promise<RestoreSource> {
  const [{ openExported }, { groupInputs }] = await Promise.all([
    import('../../repository/carry/open-exported.ts'),
    import('../../archive/input.ts'),
  ]);
  if (named !== undefined) {
    throw new UsageError('an exported archive is restored from where it lies: --repository has no meaning', {
      advice: 'dockerctl backup import takes it into a repository',
    });
  }
  await refuseRepositories(session.io, files, (directory) => `Say latest --repository ${directory}`);
  const absolute = files.map((file) => (file === '-' ? file : resolve(session.io.workingDirectory, file)));
  const [input, ...others] = await groupInputs(archiveInputs(session.io, absolute));
  if (input === undefined || others.length > 0) throw new UsageError('restore one archive at a time');
  const identities = await readIdentities(session, identity);
  const isStream = typeof input !== 'string' && 'stream' in input;
  const inPlace = isStream ? undefined : await openExported(input, identities).catch(refuseCut);
  const repository = inPlace ?? (await unpack(session, input, { identities, keys }).catch(refuseCut));
  const [snapshot] = await repository.snapshots();
  return { repository, snapshot: snapshot?.id ?? '' };
}

/** A part of an archive is nothing to restore from, but may be all that is left. */
function refuseCut(error: unknown): never {
  const isCut = error instanceof DamagedError && error.facts.missing !== undefined;
  if (!isCut) throw error;
  const otherwise =
    'if there is no other, dockerctl backup import --skip-damaged takes in what is whole of it';
  throw new DamagedError(error.message, {
    advice: `${error.advice}; ${otherwise}`,
    facts: error.facts,
    cause: error,
  });
}

async function unpack(
  session: Session,
  input: ArchiveInput,
  options: Pick<UnpackOptions, 'identities' | 'keys'>,
): Promise<ReadableRepository> {
  const { unpackExported } = await import('../../repository/carry/unpack-exported.ts');
  const parent = unpackedDirectory(session);
  const needed = (directory: string) => isNeeded(session, directory);
  return unpackExported(input, { ...options, parent, isNeeded: needed }, session.context);
}

function unpackedDirectory({ context }: Session): string {
  return join(context.stateDir, 'unpacked');
}

/** An unfinished restore goes on reading what it was reading. */
async function isNeeded({ context }: Session, directory: string): Promise<boolean> {
  const { unfinishedRestore } = await import('../../restore/unfinished.ts');
  return (await unfinishedRestore(context))?.repository === directory;
}

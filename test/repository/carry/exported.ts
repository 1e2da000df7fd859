import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArchiveInput } from '../../../src/archive/input.ts';
import type { Recipient } from '../../../src/repository/age/keys.ts';
import { type ExportFormat, exportArchive } from '../../../src/repository/carry/export-archive.ts';
import { type ImportReport, importArchive } from '../../../src/repository/carry/import-archive.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import type { TrustedKeys } from '../../../src/repository/signed/provenance.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import type { Context } from '../../../src/support/context.ts';
import { saveDirectories } from '../../support/save-directory.ts';
import { withRepository } from '../../support/with-repository.ts';

/** A repository with snapshots of a few files, in a directory of its own. */
export async function makeRepository(
  root: string,
  context: Context,
  {
    snapshots = 1,
    size = 3000,
    recipients = [] as readonly Recipient[],
    signingKey = undefined as string | undefined,
  } = {},
): Promise<{ directory: string; snapshots: Snapshot[] }> {
  const home = mkdtempSync(join(root, 'made-'));
  const files = join(home, 'files');
  const directory = join(home, 'repository');
  mkdirSync(files);
  writeFileSync(join(files, 'shared'), randomBytes(size));
  const made: Snapshot[] = [];
  for (let i = 0; i < snapshots; i++) {
    writeFileSync(join(files, 'own'), randomBytes(size));
    const repository = await openOrCreateRepository(directory, context);
    made.push(await saveDirectories(repository, { files }, context, recipients, signingKey));
    await repository.close();
  }
  return { directory, snapshots: made };
}

export async function exported(
  directory: string,
  name: string,
  context: Context,
  format: ExportFormat = 'tar',
): Promise<Buffer> {
  return withRepository(directory, context, async (repository) => {
    const outgoing = await repository.outgoing(await repository.find(name));
    return Buffer.concat(await Array.fromAsync(exportArchive(outgoing, format)));
  });
}

export async function imported(
  directory: string,
  input: ArchiveInput,
  context: Context,
  keys: TrustedKeys = {},
  skipDamaged = false,
): Promise<ImportReport> {
  const repository = await openOrCreateRepository(directory, context);
  try {
    return await importArchive(repository, input, { keys, skipDamaged }, context);
  } finally {
    await repository.close();
  }
}

/** An archive that arrives in pieces of so many bytes. */
export function stream(bytes: Buffer, pieceSize = 65_536): ArchiveInput {
  function* pieces(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
  }
  return { name: '-', stream: Readable.from(pieces()) };
}

/** Ids of the snapshots that are there; throws when anything is damaged. */
export async function wholeSnapshots(directory: string, context: Context): Promise<string[]> {
  return withRepository(directory, context, async (repository) => {
    const sealed = (await repository.snapshots()).some(({ recipients }) => recipients.length > 0);
    const { damage } = await repository.verify({ readData: !sealed }, context);
    if (damage.length > 0) throw new Error(damage.map(({ message }) => message).join('\n'));
    return (await repository.snapshots()).map(({ id }) => id);
  });
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArchiveInput } from '../../archive/input.ts';
import { UsageError } from '../../support/errors.ts';
import type { Session } from '../context.ts';
import type { Io } from '../io.ts';
import { deploymentIfAny } from './deployment-file.ts';

/**
 * Archives as they are named on the command line; `-` is standard input.
 * @throws {UsageError} when that is a terminal: it would wait for somebody to type one
 */
export function archiveInputs(io: Io, files: readonly string[]): ArchiveInput[] {
  return files.map((file) => {
    if (file === '-') return { name: 'standard input', stream: pipedInput(io) };
    return io.workingDirectory === process.cwd() ? file : resolve(io.workingDirectory, file);
  });
}

/** What something else writes to standard input. @throws {UsageError} when that is a terminal */
export function pipedInput({ stdin }: Io): Readable {
  if (!stdin.isTTY) return stdin as unknown as Readable;
  throw new UsageError('reading standard input: it is a terminal', {
    advice: 'Let another program write to it, as in `cat FILE | dockerctl …`, or name a file',
  });
}

/**
 * Exported archives are files; a directory that is named in their place is most often the repository itself.
 * @param advice what to do with it
 */
export async function refuseRepositories(
  { workingDirectory }: Io,
  files: readonly string[],
  advice: (directory: string) => string,
): Promise<void> {
  for (const file of files) {
    const directory = resolve(workingDirectory, file);
    if (file === '-' || !existsSync(join(directory, 'oci-layout'))) continue;
    throw new UsageError(`${file}: is a backup repository, not an exported archive`, {
      advice: advice(directory),
      facts: { path: directory },
    });
  }
}

/** Who must have signed them, when there is a deployment file that says so. */
export async function signersOf(session: Session): Promise<string | undefined> {
  return (await deploymentIfAny(session))?.images.signers;
}

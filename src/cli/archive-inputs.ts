import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArchiveInput } from '../archive/input.ts';
import type { Session } from './context.ts';
import { deploymentIfAny } from './deployment-file.ts';
import type { Io } from './io.ts';

/** Image archives as they are named on the command line; `-` is standard input. */
export function archiveInputs(io: Io, files: readonly string[]): ArchiveInput[] {
  return files.map((file) => {
    if (file === '-') return { name: 'standard input', stream: io.stdin as unknown as Readable };
    return io.workingDirectory === process.cwd() ? file : resolve(io.workingDirectory, file);
  });
}

/** Who must have signed them, when there is a deployment file that says so. */
export async function signersOf(session: Session): Promise<string | undefined> {
  return (await deploymentIfAny(session))?.images.signers;
}

import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArchiveInput } from '../archive/input.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { NotFoundError } from '../support/errors.ts';
import type { Session } from './context.ts';
import type { Io } from './io.ts';

/** Image archives as they are named on the command line; `-` is standard input. */
export function archiveInputs(io: Io, files: readonly string[]): ArchiveInput[] {
  return files.map((file) => {
    if (file === '-') return { name: '-', stream: io.stdin as unknown as Readable };
    return io.workingDirectory === process.cwd() ? file : resolve(io.workingDirectory, file);
  });
}

/** Who must have signed them, when there is a deployment file that says so. One that cannot be read is an error: it may. */
export async function signersOf({ io, global, deployment }: Session): Promise<string | undefined> {
  const isNamed = (global.file ?? io.environment.DOCKERCTL_FILE) !== undefined;
  const found: Deployment | undefined = await deployment().catch((error: unknown) => {
    if (!isNamed && error instanceof NotFoundError) return undefined;
    throw error;
  });
  return found?.images.signers;
}

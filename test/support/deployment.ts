import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '../../src/deployment/deployment.ts';
import { type ReadOptions, readDeployment } from '../../src/deployment/read.ts';
import { DockerctlError } from '../../src/support/errors.ts';
import { temporaryDirectory } from './temporary-directory.ts';

let directory: string | undefined;
let count = 0;

export interface TextOptions extends Partial<ReadOptions> {
  /** Files that lie beside it. */
  others?: Record<string, string>;
}

/** Writes `text` as `dockerctl.yaml` into a directory of its own and returns its path. */
export function deploymentFile(text: string, others: Record<string, string> = {}): string {
  directory ??= temporaryDirectory();
  const home = join(directory, String(count++));
  mkdirSync(home, { mode: 0o700 });
  for (const [name, content] of Object.entries({ ...others, 'dockerctl.yaml': text })) {
    writeFileSync(join(home, name), content, { mode: 0o600 });
  }
  return join(home, 'dockerctl.yaml');
}

/** Reads a deployment file of this text. */
export function readText(
  text: string,
  { others, environment = {}, ...options }: TextOptions = {},
): Promise<Deployment> {
  return readDeployment(deploymentFile(text, others), { environment, ...options });
}

/** The error that reading a deployment file of this text throws. */
export async function errorOfText(text: string, options: TextOptions = {}): Promise<DockerctlError> {
  return errorOf(readText(text, options));
}

export async function errorOf(promise: Promise<unknown>): Promise<DockerctlError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DockerctlError) return error;
  throw error ?? new Error('nothing was thrown');
}

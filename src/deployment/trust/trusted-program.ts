import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { requireTrustedPlace } from './trusted-place.ts';

/**
 * Refuses a program that is named with its path and that root is about to run for the deployment file, when somebody
 * else could write it or put another one in its place. One that is looked for in PATH is as good as PATH is; one that
 * is not there fails when it is started.
 * @throws {UsageError}
 */
export async function requireTrustedProgram(program: string): Promise<void> {
  if (process.geteuid?.() !== 0 || !program.includes('/')) return;
  const path = resolve(program);
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return;
  await requireTrustedPlace(path, status, { purpose: 'program', danger: 'Root runs it' });
}

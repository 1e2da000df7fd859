import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Path } from '../document/document.ts';
import type { Variables } from '../document/interpolate.ts';

/** What turning a checked file into a deployment needs besides the file's own values. */
export interface FileContext {
  /** Absolute path of the deployment file. */
  file: string;
  release: string | undefined;
  variables: Variables;
  /** Makes the error about what stands at `path`; it is thrown by the caller. */
  problem(path: Path, message: string, advice?: string): Error;
  /** Names and values of a file like `.env`, or `undefined` when there is none. */
  readEnvironmentFile(path: string): Promise<Record<string, string> | undefined>;
}

/**
 * A host path as an absolute one: relative to the deployment file, `~` being the home directory, also where the
 * environment does not tell it, as that of a systemd service.
 */
export function hostPath(written: string, { file, variables }: FileContext): string {
  if (/^~(?=\/|$)/.test(written)) return join(variables('HOME') || userInfo().homedir, written.slice(1));
  return resolve(dirname(file), written);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'dockerctl');

/** Those of node that the program runs under. */
export function launcherOptions(): string[] {
  const [, options] = /^options="(.*)"$/m.exec(readFileSync(launcher, 'utf8')) ?? [];
  if (options === undefined) throw new Error('bin/dockerctl has no line that begins with options="');
  return options.split(' ');
}

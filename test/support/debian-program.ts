import { execFileSync, spawnSync } from 'node:child_process';

/** Makes sure that a program tests compare us with is there, from a package of Debian's. */
export function needProgram(program: string, debianPackage = program): void {
  if (spawnSync(program, ['--version']).error === undefined) return;
  const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  execFileSync('apt-get', ['update', '-qq'], options);
  execFileSync('apt-get', ['install', '-qq', '--no-install-recommends', debianPackage], options);
}

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Puts a program called ssh, and dockerctl, on this process' PATH: it runs the command here with a shell, as the other
 * host would. It writes its arguments to `ssh.log`. What its environment may say:
 *
 * - `SSH_CUT`: so many bytes reach the other side, then the line is dead
 * - `SSH_SILENT`: the other side takes everything and never answers
 * - `SSH_KILL_AFTER`: the other side is killed after so many seconds
 * - `SSH_FORCED`: run this whatever was asked, as `command=` in `authorized_keys` does
 */
export function standInForSsh(directory: string): { log: string } {
  const programs = join(directory, 'programs');
  const log = join(directory, 'ssh.log');
  mkdirSync(programs);
  install(join(programs, 'dockerctl'), `exec '${process.execPath}' '${resolve('src/cli/bin.ts')}' "$@"`);
  install(
    join(programs, 'ssh'),
    `printf '%s\\n' "$@" >'${log}'
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
if [ $# = 0 ]; then echo 'sh: 1: rsync: not found' >&2; exit 127; fi
if [ "$2" = down ]; then echo 'ssh: connect to host down port 22: Connection refused' >&2; exit 255; fi
if [ "$SSH_SILENT" ]; then exec cat >/dev/null; fi
if [ "$2" = bare ]; then PATH=/nowhere exec /bin/sh -c "$3"; fi
command=\${SSH_FORCED:-$3}
if [ "$SSH_CUT" ]; then stdbuf -o0 head -c "$SSH_CUT" | sh -c "$command"; exit 255; fi
if [ "$SSH_KILL_AFTER" ]; then timeout -s KILL "$SSH_KILL_AFTER" sh -c "exec $command"; exit 255; fi
exec sh -c "$command"`,
  );
  process.env.PATH = `${programs}:${process.env.PATH}`;
  process.env.NODE_NO_WARNINGS = '1';
  return { log };
}

function install(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

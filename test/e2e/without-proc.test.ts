import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const file = join(directory, 'dockerctl.yaml');
const source = join(directory, 'source');
const backup = { repository: join(directory, 'repository'), sources: { source: { paths: [source] } } };
mkdirSync(join(source, 'inside'), { recursive: true });
writeFileSync(file, JSON.stringify({ name: 'bare', 'x-dockerctl': { backup } }), { mode: 0o600 });

test('where /proc is not mounted nothing is backed up or restored: directories and links seemed to have vanished', () => {
  const bare = dockerctlWithoutProc('backup');
  assert.is(bare.status, 1);
  assert.is(
    bare.stderr,
    'dockerctl: backing up: /proc is not mounted here\n  Mount it: mount -t proc proc /proc\n',
  );
  assert.is(dockerctl('backup').status, 0);
  const restore = dockerctlWithoutProc('restore', 'latest', '--to', join(directory, 'restored'));
  assert.is(restore.status, 1);
  assert.match(restore.stderr, /^dockerctl: restoring: \/proc is not mounted here\n/);
});

function dockerctl(...argv: string[]) {
  return run([...command, ...argv]);
}

function dockerctlWithoutProc(...argv: string[]) {
  return run(['unshare', '--mount', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh', ...command, ...argv]);
}

const command = [
  process.execPath,
  'src/cli/bin.ts',
  '-f',
  file,
  '--state-dir',
  join(directory, 'state'),
  '--yes',
];

function run([program = '', ...argv]: string[]) {
  return spawnSync(program, argv, { encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1' } });
}

test.run();

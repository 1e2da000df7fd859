import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../support/cli.ts';
import { mountTmpfs } from '../../../support/small-disk.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
mkdirSync(join(root, 'source'));

/** Backs up one directory to another. */
function backup(repository: string, stateDir = join(root, 'state')) {
  const file = join(root, 'dockerctl.yaml');
  const sources = `{files: {title: Files, paths: [${root}/source]}}`;
  const settings = `{repository: ${repository}, signing-key: none, sources: ${sources}}`;
  writeFileSync(file, `name: host\nx-dockerctl: {backup: ${settings}}\n`, { mode: 0o600 });
  return runCli(['-f', file, '--state-dir', stateDir, 'backup']);
}

test('a repository on a disk that is mounted read-only refuses the backup and says what to do', async () => {
  const disk = mountTmpfs(join(root, 'disk'), { mebibytes: 16, inodes: 100 });
  const remount = (how: string) => execFileSync('mount', ['-o', `remount,${how}`, disk.directory]);
  try {
    const repository = join(disk.directory, 'repository');
    const advice = /\n {2}Mount its disk for writing; [^\n]+\n$/;
    remount('ro');
    const first = await backup(repository);
    assert.is(first.status, 1);
    assert.match(first.stderr, `dockerctl: creating a backup repository in ${repository}: EROFS`);
    assert.match(first.stderr, advice);
    remount('rw');
    assert.is((await backup(repository)).status, 0);
    remount('ro');
    const second = await backup(repository);
    assert.is(second.status, 1);
    assert.match(second.stderr, `dockerctl: writing to ${repository}: EROFS`);
    assert.match(second.stderr, advice);
  } finally {
    disk.remove();
  }
});

test('a repository that is a file, or where no directory can be made, refuses the backup and says what to do', async () => {
  writeFileSync(join(root, 'file'), 'precious');
  for (const [repository, why, advice] of [
    [join(root, 'file'), 'ENOTDIR', 'Name a directory that does not exist yet'],
    [join(root, 'file', 'below'), 'ENOTDIR', 'Name a directory that does not exist yet'],
    ['/proc/none', 'ENOENT', 'See whether its disk is still mounted, or name another directory'],
  ] as const) {
    const { status, stderr } = await backup(repository);
    assert.is(status, 1, stderr);
    assert.match(stderr, `dockerctl: creating a backup repository in ${repository}: ${why}`);
    assert.match(stderr.split('\n').at(-2) ?? '', advice);
  }
  assert.not(readdirSync(root).some((name) => name.startsWith('.')));
});

test('a state directory that cannot be used costs no backup, and is told of', async () => {
  writeFileSync(join(root, 'no directory'), '');
  const { status, stderr } = await backup(join(root, 'repository'), join(root, 'no directory'));
  assert.is(status, 0, stderr);
  assert.match(stderr, /^dockerctl: warning: writing status.json: ENOTDIR/);
});

test.run();

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeRepository } from '../../../repository/carry/exported.ts';
import { runCli } from '../../../support/cli.ts';
import { quietContext } from '../../../support/save-directory.ts';
import { mountTmpfs } from '../../../support/small-disk.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const { directory, snapshots } = await makeRepository(root, quietContext(join(root, 'state')), {
  size: 200_000,
});
const [{ id }] = snapshots as [(typeof snapshots)[0]];

test('backup export writes a private file of the format its name says, and backup import takes it in', async () => {
  for (const [name, magic] of Object.entries({
    'a.tar': 'oci-',
    'a.tar.gz': '\x1f\x8b',
    'a.tar.xz': '\xfd7zX',
    'a.tar.zst': '(\xb5/',
  })) {
    const file = join(root, name);
    const out = await runCli(['backup', 'export', 'latest', '-o', file, '-r', directory]);
    assert.is(out.status, 0, out.stderr);
    assert.match(out.stdout, id.slice(7, 19));
    assert.ok(readFileSync(file, 'latin1').startsWith(magic), name);
    assert.is(statSync(file).mode & 0o777, 0o600);
    const into = join(root, `into-${name}`);
    const taken = await runCli(['backup', 'import', file, '-r', into]);
    assert.is(taken.status, 0, taken.stderr);
    assert.match(taken.stdout, `snapshot ${id.slice(7, 19)}: added 4 files`);
    assert.match(
      (await runCli(['backup', 'verify', '--read-data', '-r', into])).stdout,
      /^whole: 1 snapshot/,
    );
    assert.match((await runCli(['backup', 'import', file, '-r', into])).stdout, 'was there already');
  }
});

test('backup export --split writes volumes that backup import puts together, in any order', async () => {
  const file = join(root, 'split.tar');
  const { stdout } = await runCli([
    'backup',
    'export',
    id,
    '-o',
    file,
    '--split',
    '150K',
    '-r',
    directory,
    '--json',
  ]);
  const { files } = JSON.parse(stdout);
  assert.ok(files.length > 2, stdout);
  const into = join(root, 'into-split');
  const taken = await runCli(['backup', 'import', ...files.reverse(), '-r', into, '--json']);
  assert.is(taken.status, 0, taken.stderr);
  assert.is(JSON.parse(taken.stdout)[0].snapshot.id, id);
});

test('an export goes through a pipe', async () => {
  const file = join(root, 'a.tar');
  const { status } = await runCli(['backup', 'import', '-', '-r', join(root, 'piped')], {
    stdin: readFileSync(file),
  });
  assert.is(status, 0);
});

test('an export that fails leaves nothing behind, and says what to do', async () => {
  const home = join(root, 'out');
  mkdirSync(home);
  const run = (...argv: string[]) => runCli(['backup', 'export', ...argv, '-r', directory]);
  assert.is((await run('latest', '-o', join(home, 'a.zip'))).status, 2);
  const unknown = id.startsWith('sha256:ffff') ? '0000' : 'ffff';
  assert.is((await run(unknown, '-o', join(home, 'a.tar'))).status, 10);
  assert.is((await run('latest', '-o', join(home, 'none', 'a.tar'))).status, 10);
  assert.equal(readdirSync(home), []);
});

test('an export that finds no room names what was to go where, with volumes too', async () => {
  const disk = mountTmpfs(join(root, 'stick'), { mebibytes: 1, inodes: 100 });
  disk.leaveFree(65_536);
  const file = join(disk.directory, 'a.tar');
  for (const more of [[], ['--split', '150K']]) {
    const out = await runCli(['backup', 'export', id, '-o', file, '-r', directory, ...more]);
    assert.is(out.status, 13);
    assert.is(
      out.stderr,
      `dockerctl: exporting snapshot ${id.slice(7, 19)} to ${file}: the disk is full\n` +
        '  Free some space there, or name another place with -o; --split makes volumes that several small disks can take\n',
    );
  }
  disk.remove();
});

test('backup import refuses what is no export with 14, and what is not there with 10', async () => {
  const into = join(root, 'refused');
  writeFileSync(join(root, 'evil.tar'), 'not a tar');
  assert.is((await runCli(['backup', 'import', join(root, 'evil.tar'), '-r', into])).status, 14);
  assert.is((await runCli(['backup', 'import', join(root, 'none.tar'), '-r', into])).status, 10);
  assert.not.ok(existsSync(into), 'no repository is made for it');
});

test('what is no archive makes no repository, and nothing before it is taken in', async () => {
  const none = join(root, 'none.tar');
  const whole = join(root, 'whole.tar');
  writeFileSync(none, 'no archive');
  assert.is((await runCli(['backup', 'export', 'latest', '-o', whole, '-r', directory])).status, 0);
  const into = join(root, 'not-made');
  const { status, stderr } = await runCli(['backup', 'import', whole, none, '-r', into]);
  assert.is(status, 14);
  assert.match(stderr, 'none.tar');
  assert.not.ok(existsSync(into));
});

test.run();

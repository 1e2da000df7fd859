import { mkdirSync, mkdtempSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readStatus } from '../../../../src/backup/status/status-file.ts';
import { runCli } from '../../../support/cli.ts';
import { deploymentFile } from '../../../support/deployment.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();

function newPlace() {
  const home = mkdtempSync(join(root, 'place-'));
  const files = join(home, 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'one'), 'content');
  const [repository, stateDir] = [join(home, 'repository'), join(home, 'state')];
  const hook = `[[sh, -c, 'cat >> ${home}/failures']]`;
  const backup = `{repository: ${repository}, on-failure: ${hook}, sources: {files: {paths: [${files}]}}}`;
  const file = deploymentFile(`name: shop\nx-dockerctl: {backup: ${backup}}\n`);
  const backUp = (...args: string[]) =>
    runCli(['-f', file, '--state-dir', stateDir, 'backup', ...args], { workingDirectory: home });
  return { home, repository, stateDir, backUp };
}

test('a misspelt command, or what is no place on another host, does not become a new directory', async () => {
  const { home, backUp } = newPlace();
  for (const name of ['verfiy', 'nas:backup', 'root@-oProxyCommand=x:/b']) {
    const { status, stderr } = await backUp(name);
    assert.is(status, 2, stderr);
  }
  assert.match((await backUp('verfiy')).stderr, 'Did you mean dockerctl backup verify? Write ./verfiy if');
  assert.match(
    (await backUp('elsewhere')).stderr,
    'Write ./elsewhere if you mean a directory; dockerctl backup --help',
  );
  assert.equal(readdirSync(home).sort(), ['files']);
});

test('a directory that is named is backed up to, relative to where we are', async () => {
  const { home, backUp } = newPlace();
  for (const name of ['./here', join(home, 'there')]) assert.is((await backUp(name)).status, 0);
  assert.equal(readdirSync(home).sort(), ['files', 'here', 'there']);
});

test('a repository that is gone is not made anew: its disk may not be mounted', async () => {
  const { home, repository, stateDir, backUp } = newPlace();
  assert.is((await backUp()).status, 0);
  renameSync(repository, `${repository}.unmounted`);
  mkdirSync(repository);
  const { status, stderr } = await backUp();
  assert.is(status, 10);
  assert.match(stderr, /its snapshots \(1\) are gone\n {2}Mount its disk/);
  assert.equal(readdirSync(repository), []);
  const known = await readStatus('shop', repository, stateDir);
  assert.is(known?.lastRun?.outcome, 'failed');
  assert.ok(known?.lastComplete);
  assert.ok(readdirSync(home).includes('failures'), 'the hook was told');
});

test.run();

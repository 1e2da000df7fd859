/** A repository of which this user may not read every file: what nobody can know of is not damaged. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const file = join(root, 'dockerctl.yaml');
const blobs = join(root, 'repository', 'blobs', 'sha256');
mkdirSync(join(root, 'files'));
writeFileSync(join(root, 'files', 'one'), 'one');
const sources = `sources: {files: {title: Files, paths: [${root}/files]}}`;
const backup = `{repository: ${root}/repository, ${sources}}`;
writeFileSync(file, `name: forbidden\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
assert.is((await runCli(['-f', file, '--state-dir', join(root, 'state'), 'backup'])).status, 0);
const nobody = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));

/** As a user who may read only what is his, as everybody but root. */
function asUser(...argv: string[]) {
  const without = ['--bounding-set', '-dac_override,-dac_read_search', process.execPath, 'src/cli/bin.ts'];
  const options = ['-f', file, '--state-dir', join(root, 'state'), ...argv];
  return spawnSync('setpriv', [...without, ...options], { encoding: 'utf8' });
}

test('whatever file of a repository may not be read, that is what is told, and nothing is taken for damaged', () => {
  const names = readdirSync(blobs);
  assert.ok(names.length >= 5);
  for (const [i, name] of names.entries()) {
    chownSync(join(blobs, name), nobody, nobody);
    const { status, stderr } = asUser('backup', i % 2 === 0 ? 'verify' : 'repair');
    assert.is(status, 1, stderr);
    assert.match(stderr, /^dockerctl: (reading|repairing in) .*EACCES.*\n {2}Run it as /);
    chownSync(join(blobs, name), 0, 0);
  }
  assert.equal(readdirSync(blobs), names);
  assert.is(asUser('backup', 'verify').status, 0);
});

test('a deployment file that may not be read is told in words, with who may', () => {
  chownSync(file, nobody, nobody);
  const { status, stderr } = asUser('backup', 'list');
  chownSync(file, 0, 0);
  assert.is(status, 2);
  assert.match(
    stderr,
    /^dockerctl: cannot read the deployment file .*: this user may not\n {2}Run it as root, or /,
  );
});

test.run();

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { runCli } from '../../../support/cli.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const environment = { PATTERN: '*.bak' };

/** A host whose deployment file calls its one source as it is told. */
function makeHost() {
  const root = temporaryDirectory();
  const live = join(root, 'live');
  mkdirSync(join(live, 'cache'), { recursive: true });
  mkdirSync(join(live, 'mounted'));
  const file = join(root, 'shop.yaml');
  const run = (source: string, filter: string, ...argv: string[]) => {
    const backup = `{repository: ${root}/repository, signing-key: none, sources: {${source}: {paths: [${live}], ${filter}}}}`;
    writeFileSync(file, `name: shop\nx-dockerctl: {release: '1', backup: ${backup}}\n`, { mode: 0o600 });
    return runCli(['-f', file, '--state-dir', join(root, 'state'), ...argv], { environment });
  };
  const write = (text: string) => {
    for (const name of ['letter', 'letter.bak', 'cache/page', 'mounted/disk'])
      writeFileSync(join(live, name), text);
  };
  const read = (name: string) => readFileSync(join(live, name), 'utf8');
  return { live, run, write, read };
}

for (const [how, filter] of [
  ['renamed', "exclude: ['*.bak', cache/], one-file-system: true"],
  [
    'renamed, and left out as its release says',
    "exclude: ['*.bak', cache/, 'x-${RELEASE}'], one-file-system: true",
  ],
] as const)
  test(`what backups left out of a source stays when it comes back after it was ${how}`, async () => {
    const { live, run, write, read } = makeHost();
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(live, 'mounted')]);
    try {
      write('saved');
      assert.is((await run('letters', filter, 'backup')).status, exitCodes.done);
      write('now');
      const planned = await run('mail', filter, 'restore', 'latest', '-n');
      assert.match(planned.stdout, `note: ${live}/mounted stays as it is: backups leave it out`);
      const { status, stderr, stdout } = await run('mail', filter, 'restore', 'latest', '--yes');
      assert.is(status, exitCodes.done, stderr);
      assert.match(stdout, `left as it was: ${live}/letter.bak`);
      assert.is(read('letter'), 'saved');
      for (const name of ['letter.bak', 'cache/page', 'mounted/disk']) assert.is(read(name), 'now', name);
    } finally {
      execFileSync('umount', [join(live, 'mounted')]);
    }
  });

test('where nobody can tell what was left out, the plan says so', async () => {
  const { live, run, write } = makeHost();
  write('saved');
  const filter = "exclude: ['${PATTERN}']";
  assert.is((await run('letters', filter, 'backup')).status, exitCodes.done);
  const { stdout } = await run('mail', 'exclude: []', 'restore', 'latest', '-n');
  assert.match(stdout, 'note: letters: nobody can tell what its backups left out');
  assert.match(stdout, live);
});

test.run();

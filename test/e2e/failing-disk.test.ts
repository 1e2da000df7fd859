import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sealings } from '../repository/sealings.ts';
import { FailingCalls } from '../support/failing-calls/failing-calls.ts';
import { seed } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runCommand } from './torture/command.ts';
import { failCalls } from './torture/failing-disk.ts';

const root = temporaryDirectory();

/** `npm run torture -- errors` does it at greater length. */
for (const [name, keys] of sealings) {
  test(`whatever call to a disk fails, what is there stays whole, the message says so, and the next run needs no hand: ${name}`, async () => {
    const home = join(root, name);
    mkdirSync(home);
    const counts = await failCalls({ home, keys, failures: 3, seed });
    const ended = Object.values(counts).flatMap((each) => Object.values(each));
    assert.is(
      ended.reduce((sum, count) => sum + count, 0),
      3,
    );
  });
}

test('a restore that the disk refuses says what it was writing, leaves nothing, and works when it is mended', async () => {
  const home = join(root, 'restore');
  const to = join(home, 'to');
  mkdirSync(join(home, 'files'), { recursive: true });
  writeFileSync(join(home, 'files', 'one'), 'content');
  const backup = `{repository: ${home}/repository, sources: {files: {title: Files, paths: [${home}/files]}}}`;
  const file = join(home, 'dockerctl.yaml');
  writeFileSync(file, `name: refused\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  const state = { DOCKERCTL_STATE_DIR: join(home, 'state') };
  assert.is((await runCommand(['-f', file, 'backup'], state)).status, 0);
  const calls = new FailingCalls(home);
  const failing = { below: to, error: 'EIO', lasting: false, on: 'changes' } as const;
  const restore = ['-f', file, 'restore', 'latest', '--to', to, '--yes'];
  const listed = await runCommand(restore, { ...state, ...calls.environment({ ...failing, at: 0 }) });
  assert.is(listed.status, 0, listed.stderr);
  const writing = calls.failed().findIndex((call) => /write\d* .*one$/.test(call));
  assert.ok(writing > 0);
  rmSync(to, { recursive: true });
  const environment = calls.environment({ ...failing, at: writing + 1 });
  const { status, stderr } = await runCommand(restore, { ...state, ...environment });
  assert.is(status, 1, stderr);
  assert.match(stderr, /^dockerctl: restoring Files: EIO: .*\n {2}Look at `dmesg`/);
  assert.not.ok(existsSync(join(to, 'files')));
  assert.is((await runCommand(restore, state)).status, 0);
  assert.is(readFileSync(join(to, 'files', home, 'files', 'one'), 'utf8'), 'content');
});

test.run();

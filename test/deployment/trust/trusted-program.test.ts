import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runHostCommand } from '../../../src/deployment/commands/run-host-command.ts';
import { UsageError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();

/** A program that leaves a file beside itself when it runs. */
function make(
  name: string,
  { program = 0o755, directory = 0o755 } = {},
): { path: string; hasRun(): boolean } {
  const home = join(root, name);
  mkdirSync(home);
  const path = join(home, 'hook');
  writeFileSync(path, '#!/bin/sh\necho ran >"${0%/*}/ran"\n');
  chmodSync(path, program);
  chmodSync(home, directory);
  return { path, hasRun: () => existsSync(join(home, 'ran')) };
}

test('a program that only root may write runs, whatever it is called by', async () => {
  const { path, hasRun } = make('good');
  assert.is((await runHostCommand([path, 'argument'], {})).status, 0);
  assert.ok(hasRun());
  assert.is((await runHostCommand(['true'], {})).status, 0);
});

for (const [name, modes] of [
  ['by its group', { program: 0o775 }],
  ['by everybody', { program: 0o757 }],
  ['in its place, for its directory is open', { directory: 0o777 }],
  ['in its place, for its directory is open to a group', { directory: 0o775 }],
  ['in its place, for others may add to its directory', { directory: 0o1777 }],
] as const) {
  test(`one that others may write ${name} is refused and does not run`, async () => {
    const { path, hasRun } = make(name, modes);
    const error = await rejects(() => runHostCommand([path], {}), UsageError);
    assert.match(error.message, /cannot use the program .* can be written by others$/);
    const sticky = 'directory' in modes && modes.directory === 0o1777;
    const remedy = sticky ? 'put it into a directory of its own' : 'if you trust it: chmod go-w /';
    assert.match(error.advice ?? '', `Root runs it; ${remedy}`);
    assert.not.ok(hasRun());
  });
}

test('one that belongs to somebody else is refused, and so is a link to one', async () => {
  const { path, hasRun } = make('foreign');
  chownSync(path, 12345, 12345);
  const link = join(root, 'link');
  symlinkSync(path, link);
  for (const each of [path, link]) {
    const error = await rejects(() => runHostCommand([each], {}), UsageError);
    assert.match(error.message, 'belongs to user 12345');
  }
  assert.not.ok(hasRun());
});

test('who is not root runs what it likes', async () => {
  const { path, hasRun } = make('own', { directory: 0o777 });
  const before = process.cwd();
  process.chdir(dirname(path)); // Whoever may not enter what leads there is there all the same.
  process.seteuid?.(12345);
  try {
    assert.is((await runHostCommand(['./hook'], {})).status, 0);
  } finally {
    process.seteuid?.(0);
    process.chdir(before);
  }
  assert.ok(hasRun());
});

test.run();

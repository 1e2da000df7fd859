import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { removeTree } from '../../../src/restore/swap/remove-tree.ts';
import { FailedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const home = temporaryDirectory();

/** Removes the tree `name` of a directory of its own. */
async function remove(directory: string, name: string): Promise<void> {
  const handle = openSync(directory, 'r');
  try {
    await removeTree(handle, name);
  } finally {
    closeSync(handle);
  }
}

test('a tree goes, and what its links point at stays', async () => {
  mkdirSync(join(home, 'tree/inside'), { recursive: true });
  mkdirSync(join(home, 'kept'));
  writeFileSync(join(home, 'kept/file'), 'x');
  writeFileSync(join(home, 'tree/inside/file'), 'x');
  symlinkSync(join(home, 'kept'), join(home, 'tree/link'));
  await remove(home, 'tree');
  assert.equal([existsSync(join(home, 'tree')), existsSync(join(home, 'kept/file'))], [false, true]);
  await remove(home, 'tree');
});

for (const [what, attribute, path] of [
  ['an immutable file', '+i', 'file'],
  ['a file that can only be appended to', '+a', 'file'],
  ['what lies in an immutable directory', '+i', ''],
] as const) {
  test(`${what} is named as what cannot be removed`, async () => {
    const place = join(home, attribute + path);
    mkdirSync(join(place, 'tree'), { recursive: true });
    writeFileSync(join(place, 'tree/file'), 'x');
    try {
      execFileSync('chattr', [attribute, join(place, 'tree', path)], { stdio: 'ignore' });
    } catch {
      return; // This file system knows no such attributes.
    }
    const error = await rejects(() => remove(place, 'tree'), FailedError).finally(() =>
      execFileSync('chattr', [attribute.replace('+', '-'), join(place, 'tree', path)]),
    );
    assert.is(error.message, `removing ${join(place, 'tree/file')}: EPERM`);
    assert.match(error.advice ?? '', /chattr/);
    await remove(place, 'tree');
  });
}

test.run();

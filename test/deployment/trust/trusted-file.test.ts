import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readTrustedFile } from '../../../src/deployment/trust/trusted-file.ts';
import { NotFoundError, UsageError } from '../../../src/support/errors.ts';
import { errorOf } from '../../support/deployment.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();

function make(
  name: string,
  { file = 0o600, directory = 0o700, content = 'name: x\n' as string | Buffer } = {},
): string {
  const home = join(root, name);
  mkdirSync(home);
  const path = join(home, 'file');
  writeFileSync(path, content);
  chmodSync(path, file);
  chmodSync(home, directory);
  return path;
}

async function refusal(path: string): Promise<string> {
  const error = await errorOf(readTrustedFile(path, 'file'));
  assert.instance(error, UsageError);
  assert.is(error.facts.file, path);
  return `${error.message} ${error.advice ?? ''}`;
}

test('a file that only its owner may write is read', async () => {
  assert.is(await readTrustedFile(make('good', { file: 0o644, directory: 0o755 }), 'file'), 'name: x\n');
});

test('a file that others may write is refused, with the command that mends it', async () => {
  const path = make('world', { file: 0o646 });
  assert.match(await refusal(path), `can be written by others`);
  assert.match(await refusal(path), `chmod go-w ${path}`);
  assert.match(await refusal(make('group', { file: 0o660 })), 'can be written by others');
});

test('a file in a directory that others may write is refused, and never is the advice to take that right from all users of a sticky one', async () => {
  assert.match(await refusal(make('open', { directory: 0o777 })), 'its directory');
  const sticky = await refusal(make('sticky', { directory: 0o1777 }));
  assert.match(sticky, 'its directory');
  assert.not.match(sticky, 'chmod');
  assert.match(sticky, 'put it into a directory of its own');
});

test('a directory further up that others may write is refused unless it is sticky', async () => {
  const path = make('above');
  const deep = join(root, 'above', 'inner');
  mkdirSync(deep);
  writeFileSync(join(deep, 'file'), 'x');
  chmodSync(join(root, 'above'), 0o777);
  assert.match(await refusal(join(deep, 'file')), 'its directory');
  chmodSync(join(root, 'above'), 0o1777);
  assert.is(await readTrustedFile(join(deep, 'file'), 'file'), 'x');
  assert.ok(path);
});

test('a link into a directory that others may write is refused', async () => {
  const target = make('target', { directory: 0o777 });
  const home = join(root, 'link');
  mkdirSync(home, { mode: 0o700 });
  symlinkSync(target, join(home, 'file'));
  assert.match(await refusal(join(home, 'file')), 'its directory');
});

test('a file of another user is refused', async () => {
  if (process.geteuid?.() !== 0) return;
  const path = make('foreign');
  chownSync(path, 12345, 12345);
  assert.match(await refusal(path), 'belongs to user 12345');
});

test('a missing file, a directory, a huge file and bytes that are no text are told apart', async () => {
  assert.instance(await errorOf(readTrustedFile(join(root, 'none'), 'file')), NotFoundError);
  assert.match(await refusal(root), 'not a regular file');
  assert.match(await refusal(make('huge', { content: Buffer.alloc(5 * 2 ** 20) })), 'larger than');
  assert.match(await refusal(make('binary', { content: Buffer.from([0xff, 0xfe, 0x80]) })), 'not UTF-8');
});

test.run();

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { copy, parsePlace } from '../../../src/lifecycle/copy/copy.ts';
import { unpackInto } from '../../../src/lifecycle/copy/unpack-into.ts';
import { startServices } from '../../../src/lifecycle/services.ts';
import { DamagedError, FailedError, NotFoundError, UsageError } from '../../../src/support/errors.ts';
import { errorOf } from '../../support/deployment.ts';
import { streamOf } from '../../support/images.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { createTestHost } from '../host.ts';

const here = await createTestHost();
const scratch = temporaryDirectory();
const host = await here.host(
  '  app: {image: IMAGE, network_mode: none, init: true, command: [sh, -c, "mkdir -p /data/sub; echo one > /data/sub/one; echo two > /data/two; sleep 1000"], x-dockerctl: {ready: [{run: [stat, /data/two]}]}}',
);
test.before(() => startServices(['app'], host));
test.after(() => here.cleanUp());

function run(source: string, destination: string) {
  return copy(parsePlace(source), parsePlace(destination), host);
}

test("a side is a container's when it begins with a name and a colon", () => {
  assert.equal(parsePlace('app:/etc/x'), { service: 'app', path: '/etc/x' });
  assert.equal(parsePlace('app:x:y'), { service: 'app', path: 'x:y' });
  for (const path of ['/etc/x', './a:b', '/a:b', 'file', '../x']) {
    assert.equal(parsePlace(path), { service: undefined, path });
  }
});

test('a directory comes out under its own name, or under the one it is given', async () => {
  mkdirSync(join(scratch, 'out'));
  await run('app:/data', join(scratch, 'out'));
  assert.is(readFileSync(join(scratch, 'out/data/sub/one'), 'utf8'), 'one\n');
  await run('app:/data', join(scratch, 'renamed'));
  assert.is(readFileSync(join(scratch, 'renamed/two'), 'utf8'), 'two\n');
});

test('a file comes out, and goes in again, with content and mode', async () => {
  const file = join(scratch, 'script');
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o751);
  await run(file, 'app:/data/');
  await run('app:/data/script', join(scratch, 'script2'));
  assert.is(readFileSync(join(scratch, 'script2'), 'utf8'), '#!/bin/sh\n');
  assert.is(statSync(join(scratch, 'script2')).mode & 0o7777, 0o751);
  await run(file, 'app:/data/other-name');
  await run('app:/data/other-name', join(scratch, 'script3'));
  assert.ok(existsSync(join(scratch, 'script3')));
});

test('a directory goes in with its links, and an empty file', async () => {
  const tree = join(scratch, 'tree');
  mkdirSync(join(tree, 'deep'), { recursive: true });
  writeFileSync(join(tree, 'deep/empty'), '');
  symlinkSync('deep/empty', join(tree, 'link'));
  await run(tree, 'app:/tmp');
  await run('app:/tmp/tree', join(scratch, 'back'));
  assert.is(readlinkSync(join(scratch, 'back/link')), 'deep/empty');
  assert.is(statSync(join(scratch, 'back/deep/empty')).size, 0);
});

test('names of any bytes and of any length go in and come out as they are, and so do targets of links', async () => {
  const tree = join(scratch, 'names');
  const at = (name: string) => Buffer.from(`${tree}/${name}`, 'latin1');
  const long = `long\xe9${'x'.repeat(150)}`;
  mkdirSync(at('dir\xff'), { recursive: true });
  writeFileSync(at(`dir\xff/${long}`), 'content');
  writeFileSync(join(tree, 'für'), 'text');
  symlinkSync(Buffer.from(`dir\xff/${long}`, 'latin1'), at('link\x80'));
  await run(tree, 'app:/tmp');
  await run('app:/tmp/names', join(scratch, 'names-back'));
  const back = (name: string) => Buffer.from(`${scratch}/names-back/${name}`, 'latin1');
  assert.equal(readdirSync(back(''), 'latin1').sort(), ['dir\xff', 'f\xc3\xbcr', 'link\x80']);
  assert.is(readFileSync(back(`dir\xff/${long}`), 'utf8'), 'content');
  assert.is(readFileSync(back('link\x80'), 'utf8'), 'content');
});

test('what is not there is told from what cannot be meant', async () => {
  assert.instance(await errorOf(run('app:/none', scratch)), NotFoundError);
  assert.instance(await errorOf(run(join(scratch, 'none'), 'app:/tmp')), NotFoundError);
  assert.instance(await errorOf(run('app:/data', join(scratch, 'no/such/place'))), NotFoundError);
  assert.instance(await errorOf(run(scratch, 'app:/no/such/place/')), NotFoundError);
  assert.instance(await errorOf(run('ap:/data', scratch)), NotFoundError);
  assert.instance(await errorOf(run(scratch, scratch)), UsageError);
  assert.instance(await errorOf(run('app:/data', 'app:/tmp')), UsageError);
});

type Entry = Partial<Header> & { name: string; content?: string };

async function unpack(target: string, ...entries: Entry[]): Promise<void> {
  const tar = pack();
  const bytes = buffer(tar as never);
  for (const { content = '', ...header } of entries) tar.entry(header, content);
  tar.finalize();
  await unpackInto(streamOf(await bytes), target, new AbortController().signal);
}

const outside = join(scratch, 'outside');

for (const [name, entries] of [
  ['a name that goes up', [{ name: 'root/../../outside', content: 'x' }]],
  ['a root that goes up', [{ name: '../outside', content: 'x' }]],
  [
    'a file through a link that came before',
    [
      { name: 'root/', type: 'directory' },
      { name: 'root/link', type: 'symlink', linkname: scratch },
      { name: 'root/link/outside', content: 'x' },
    ],
  ],
  [
    'a root that is a link',
    [
      { name: 'root', type: 'symlink', linkname: scratch },
      { name: 'root/outside', content: 'x' },
    ],
  ],
  [
    'a hard link to what lies outside',
    [
      { name: 'root/', type: 'directory' },
      { name: 'root/link', type: 'symlink', linkname: scratch },
      { name: 'root/hard', type: 'link', linkname: 'root/link/script' },
    ],
  ],
  [
    'a hard link that goes up',
    [
      { name: 'root/', type: 'directory' },
      { name: 'root/hard', type: 'link', linkname: '../script' },
    ],
  ],
] as [string, Entry[]][]) {
  test(`${name} is refused, and nothing is written outside`, async () => {
    const target = join(scratch, `hostile-${name.replaceAll(' ', '-')}`);
    assert.instance(await errorOf(unpack(target, ...entries)), DamagedError);
    assert.not.ok(existsSync(outside));
  });
}

test('an absolute name stays below the target, and set-id bits are dropped', async () => {
  const target = join(scratch, 'absolute');
  await unpack(
    target,
    { name: '/root/', type: 'directory' },
    { name: '/root/su', mode: 0o6755, content: 'x' },
  );
  assert.is(lstatSync(join(target, 'su')).mode & 0o7777, 0o755);
});

test('a file that replaces a link does not write through it', async () => {
  const target = join(scratch, 'replace');
  mkdirSync(target);
  symlinkSync(outside, join(target, 'file'));
  await unpack(target, { name: 'root/', type: 'directory' }, { name: 'root/file', content: 'x' });
  assert.not.ok(existsSync(outside));
  assert.ok(lstatSync(join(target, 'file')).isFile());
});

test('a device is refused', async () => {
  const error = await errorOf(
    unpack(join(scratch, 'device'), { name: 'root', type: 'character-device', devmajor: 1, devminor: 3 }),
  );
  assert.instance(error, FailedError);
});

test.run();

import { closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import {
  applyMetadata,
  type Made,
  metadataOptions,
  verifyMetadata,
} from '../../../src/restore/tree/metadata.ts';
import { makeDeviceAt } from '../../../src/support/posix/make-node.ts';
import { statAt } from '../../../src/support/posix/stat.ts';
import { failure } from '../../support/rejects.ts';
import { mountExt4 } from '../../support/small-disk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { entry } from '../memory-repository.ts';

const work = temporaryDirectory();
const directory = openSync(work, 'r');
writeFileSync(join(work, 'file'), 'text');
symlinkSync('elsewhere', join(work, 'link'));
makeDeviceAt(directory, 'device', 'block', 0o600, { major: 7, minor: 1 });

test('whatever reads back differently than the entry says is named, with the path at which it belongs', async () => {
  const xattrs = { 'user.note\xff': Buffer.from('a') };
  const file = entry('file', 'file', { size: 4, uid: 1, gid: 2, xattrs });
  const link = entry('symlink', 'link', { target: 'elsewhere' });
  const device = entry('block', 'device', { mode: 0o600, device: { major: 7, minor: 1 } });
  const cases: [Entry, Partial<Entry>, fault: string][] = [
    [file, { type: 'fifo' }, 'type'],
    [file, { uid: 2 }, 'owner'],
    [file, { gid: 1 }, 'owner'],
    [file, { mode: 0o600 }, 'mode'],
    [file, { size: 5 }, 'size'],
    [file, { xattrs: { 'user.note\xff': Buffer.from('b') } }, 'attribute user.note\\xff'],
    [link, { target: 'nowhere' }, 'target'],
    [device, { device: { major: 7, minor: 2 } }, 'device number'],
    [device, { device: { major: 8, minor: 1 } }, 'device number'],
  ];
  for (const [said, other, fault] of cases) {
    const made: Made = { directory, name: said.path };
    const options = { ...metadataOptions([]), pathOf: () => '/srv/app' };
    applyMetadata(made, said, options);
    verifyMetadata(made, said, options);
    const { message } = await failure((async () => verifyMetadata(made, { ...said, ...other }, options))());
    assert.is(message, `restoring /srv/app: its ${fault} reads back differently`);
  }
});

test('an attribute that a file cannot have here is told, and hinders nothing', () => {
  const warnings: string[] = [];
  const options = { ...metadataOptions(warnings), pathOf: () => '/srv/app/link' };
  const link = entry('symlink', 'link', { target: 'elsewhere', xattrs: { 'user.note': Buffer.from('a') } });
  applyMetadata({ directory, name: 'link' }, link, options);
  verifyMetadata({ directory, name: 'link' }, link, options);
  assert.equal(warnings, ['/srv/app/link: the file system here cannot hold the attribute user.note']);
});

test('who may not give files away is not told that their owner is another', () => {
  const options = { ...metadataOptions([]), owners: false };
  const file = entry('file', 'file', { size: 4, uid: 12, gid: 34 });
  applyMetadata({ directory, name: 'file' }, file, options);
  verifyMetadata({ directory, name: 'file' }, file, options);
});

test.after(() => closeSync(directory));

test('times that a file system cannot hold come as near as it can, and one sentence tells of all of them', () => {
  const disk = mountExt4(join(temporaryDirectory(), 'old'), { mebibytes: 1, inodes: 32, inodeBytes: 128 });
  const directory = openSync(disk.directory, 'r');
  const second = 1_000_000_000n;
  const latest = (2n ** 31n - 1n) * second;
  const warnings: string[] = [];
  const options = metadataOptions(warnings);
  try {
    for (const [name, mtime, held] of [
      ['exact', 5n * second, 5n * second],
      ['fraction', 5n * second + 7n, 5n * second],
      ['before 1970', -second + 1n, -second],
      ['too late', latest + second, latest],
    ] as const) {
      writeFileSync(join(disk.directory, name), '');
      const made = entry('file', name, { mtime, size: 0 });
      applyMetadata({ directory, name }, made, options);
      verifyMetadata({ directory, name }, made, options);
      assert.is(statAt(directory, name).mtime, held, name);
    }
  } finally {
    closeSync(directory);
    disk.remove();
  }
  assert.equal(warnings, ['fraction and 2 more: the file system here cannot hold the exact time']);
});

test('whoever may not give files away makes none that is setuid to another, and is told of every kind of loss', () => {
  const work = temporaryDirectory();
  const directory = openSync(work, 'r');
  const { uid, gid } = statAt(directory, '.');
  const warnings: string[] = [];
  const options = { ...metadataOptions(warnings), owners: false };
  try {
    for (const [name, owner, mode, made] of [
      ['own', { uid, gid }, 0o6755, 0o6755],
      ['foreign', { uid: uid + 1, gid }, 0o4755, 0o755],
      ['of another group', { uid, gid: gid + 1 }, 0o2751, 0o751],
      ['plain', { uid: uid + 1, gid: gid + 1 }, 0o1644, 0o1644],
    ] as const) {
      writeFileSync(join(work, name), '');
      const wanted = entry('file', name, { ...owner, mode, size: 0 });
      applyMetadata({ directory, name }, wanted, options);
      verifyMetadata({ directory, name }, wanted, options);
      assert.is(statAt(directory, name).mode, made, name);
    }
  } finally {
    closeSync(directory);
  }
  assert.equal(warnings, [
    'foreign and 2 more: only root can give back the owner',
    'foreign and 1 more: setuid and setgid are left out, for they would be those of another owner',
  ]);
});

test.run();

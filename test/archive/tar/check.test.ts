import { execFileSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkedTar } from '../../../src/archive/tar/check.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { directory, file, hardlink, symlink, tarOf } from '../fixtures/tar.ts';

const entries = [
  directory('etc/'),
  file('etc/passwd', 'root:x:0:0'),
  file(`${'long/'.repeat(60)}name`, 'x'.repeat(700)),
  symlink('etc/link', 'passwd'),
  hardlink('etc/hard', 'etc/passwd'),
  { name: 'dev/null', type: 'character-device' as const, devmajor: 1, devminor: 3 },
  { name: 'pipe', type: 'fifo' as const },
];
const tar = await tarOf(entries);

async function check(bytes: Uint8Array, size = bytes.length): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return await buffer(checkedTar(pieces(), 'a layer'));
}

test('every kind of entry passes unchanged, however the bytes arrive', async () => {
  for (const size of [tar.length, 1000, 1]) assert.ok((await check(tar, size)).equals(tar));
});

test('what GNU tar writes passes, sizes in a PAX header and names of its own kind included', async () => {
  const root = temporaryDirectory();
  execFileSync('sh', ['-c', `mkdir -p ${'d'.repeat(80)}/e; seq 9000 >${'d'.repeat(80)}/e/f; ln -s e g`], {
    cwd: root,
  });
  for (const format of ['gnu', 'pax', 'ustar', 'v7', 'oldgnu']) {
    const archive = execFileSync('tar', ['--format', format, '-cf', '-', '.'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.ok((await check(archive, 700)).equals(archive));
  }
});

test('an empty layer, and one without an end mark, are tars', async () => {
  await check(Buffer.alloc(0));
  await check(Buffer.alloc(1024));
  await check(tar.subarray(0, tar.length - 1024));
});

test('a flipped bit in any header is found, and so is an end that comes too early', async () => {
  for (const at of [0, 100, 124, 150, 156, 512, 1536 + 124]) {
    const damaged = Buffer.from(tar);
    damaged[at]! ^= 1;
    await rejects(() => check(damaged), DamagedError);
  }
  for (const end of [100, 512 + 300, 1024 + 5, 1500])
    await rejects(() => check(tar.subarray(0, end), 64), DamagedError);
});

test.run();

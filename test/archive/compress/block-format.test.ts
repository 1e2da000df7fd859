import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BundleFormat, blockFormat, formatOfName } from '../../../src/archive/compress/block-format.ts';
import { UsageError } from '../../../src/support/errors.ts';

/** Bytes like a layer's: runs, text, and stretches that nothing compresses. */
function content(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, seed = 1; at < size; at += 1024, seed++) {
    if (seed % 3 === 0)
      createHash('shake256', { outputLength: 1024 }).update(`${seed}`).digest().copy(bytes, at);
    else bytes.fill(`line ${seed % 7} of a file, YZ\n`, at, Math.min(size, at + 1024));
  }
  return bytes;
}

async function compressed(
  format: BundleFormat,
  pieces: readonly Uint8Array[],
  level?: number,
): Promise<Buffer> {
  const { start, compress, end } = await blockFormat(format, level);
  const blocks = await Promise.all(pieces.map((piece) => compress(piece)));
  return Buffer.concat([start, ...blocks.map(({ bytes }) => bytes), end(blocks)]);
}

/** What the format's own program makes of it; it fails for anything it would complain about. */
function decompressedBy(program: string, bytes: Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync(program, ['-dc'], { input: bytes, maxBuffer: 1 << 28 });
  assert.is(status, 0, String(stderr));
  return stdout;
}

const whole = content(3_000_001);
const pieces = [whole.subarray(0, 512), whole.subarray(512, 1_500_000), whole.subarray(1_500_000)];

for (const [format, program] of [
  ['tar.gz', 'gzip'],
  ['tar.zst', 'zstd'],
  ['tar.xz', 'xz'],
] as const) {
  test(`blocks of ${format} are one file for ${program}`, async () => {
    assert.ok(decompressedBy(program, await compressed(format, pieces)).equals(whole));
  });

  test(`every level of ${format} can be read, and the same level gives the same bytes`, async () => {
    const small = whole.subarray(0, 200_000);
    for (const level of format === 'tar.zst' ? [1, 3, 9, 15, 19] : [1, 2, 3, 4, 5, 6, 9]) {
      const bytes = await compressed(format, [small], level);
      assert.ok(decompressedBy(program, bytes).equals(small), `level ${level}`);
      assert.ok(bytes.equals(await compressed(format, [small], level)));
      assert.ok(bytes.length < small.length * 0.6);
    }
  });
}

test('plain blocks are the content itself', async () => {
  assert.ok((await compressed('tar', pieces)).equals(whole));
});

test('an xz stream has one block for each piece, with both sizes in its header', async () => {
  const bytes = await compressed('tar.xz', pieces);
  const { stdout, status, stderr } = spawnSync(
    'sh',
    ['-c', 'cat >"$0" && xz --robot -lvv "$0"; rm "$0"', temporary()],
    {
      input: bytes,
      encoding: 'utf8',
    },
  );
  assert.is(status, 0, stderr);
  const blocks = stdout.split('\n').filter((line) => line.startsWith('block\t'));
  assert.equal(
    blocks.map((line) => line.split('\t')[7]),
    pieces.map(({ length }) => String(length)),
  );
  for (const line of blocks) assert.match(line, /\tCRC64\t[0-9a-f]+\t\d+\tcu\t/);
});

test('a level that a format does not have is refused', async () => {
  for (const [format, level] of [
    ['tar', 3],
    ['tar.gz', 0],
    ['tar.gz', 10],
    ['tar.xz', -1],
    ['tar.zst', 20],
    ['tar.zst', 1.5],
  ] as const) {
    const error = await blockFormat(format, level).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, UsageError);
  }
});

test('the format follows from the end of a name, and from nothing else', () => {
  assert.is(formatOfName('a.tar'), 'tar');
  assert.is(formatOfName('/x.tar.xz/shop-1.4.tar.zst'), 'tar.zst');
  assert.is(formatOfName('a.tgz'), 'tar.gz');
  assert.is(formatOfName('a.tar.gz'), 'tar.gz');
  for (const name of ['a', 'a.xz', 'a.tar.lrz', 'a.tar.bz2', 'tar']) assert.throws(() => formatOfName(name));
});

function temporary(): string {
  return `/tmp/dockerctl-test-${process.pid}.xz`;
}

test.run();

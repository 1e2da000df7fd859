import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Crc64, jones } from '../../../src/databases/crc64.ts';
import { wholeDump } from '../../../src/databases/redis/whole-dump.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';

/** A dump of `length` bytes of content, as a server writes it. */
function dumpOf(length: number): Buffer {
  const head = Buffer.from('REDIS0010');
  const content = Buffer.alloc(length, 'redis');
  const body = Buffer.concat([head, content, Buffer.of(0xff)]);
  const crc = new Crc64(jones);
  crc.update(body);
  const trailer = Buffer.alloc(8);
  trailer.writeBigUInt64LE(crc.value);
  return Buffer.concat([body, trailer]);
}

async function pass(dump: Buffer, pieceLength = dump.length): Promise<Buffer> {
  async function* pieces() {
    for (let at = 0; at < dump.length; at += pieceLength) yield dump.subarray(at, at + pieceLength);
  }
  return Buffer.concat(await Array.fromAsync(wholeDump(pieces(), 'x')));
}

test('the checksum is the one that Redis computes', () => {
  const crc = new Crc64(jones);
  crc.update(Buffer.from('1234'));
  crc.update(Buffer.from('56789'));
  assert.is(crc.value, 0xe9c6d914c4b8d9can);
});

test('a whole dump passes in any cut, and the mark behind it does not', async () => {
  const mark = Buffer.from('0123456789abcdef0123456789abcdef01234567');
  for (const length of [0, 1, 39, 40, 41, 58, 59, 5000]) {
    const dump = dumpOf(length);
    for (const piece of [1, 7, 49, dump.length]) {
      assert.equal(await pass(dump, piece), dump);
      assert.equal(await pass(Buffer.concat([dump, mark]), piece), dump);
    }
  }
});

test('cut anywhere, or with any byte changed, it is damage', async () => {
  const dump = dumpOf(100);
  const damaged = async (bytes: Buffer, what: string) => {
    const error = await pass(bytes).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, DamagedError, what);
  };
  for (let length = 0; length < dump.length; length++)
    await damaged(dump.subarray(0, length), `cut at ${length}`);
  // The four digits of the version are any.
  for (let at = 0; at < dump.length; at++) {
    const changed = Buffer.from(dump);
    changed[at]! ^= 0x40;
    await damaged(changed, `byte ${at}`);
  }
});

test('a server that computes no checksum writes zeros, and is believed', async () => {
  const dump = dumpOf(100);
  dump.fill(0, dump.length - 8);
  assert.equal(await pass(dump), dump);
});

test('without a checksum, what does not begin like a dump or lacks its end is damage all the same', async () => {
  const dump = Buffer.concat([Buffer.from('REDIS0010'), Buffer.alloc(100), Buffer.of(0xff), Buffer.alloc(8)]);
  assert.equal(await pass(dump), dump);
  for (let length = 0; length < dump.length; length++)
    await rejects(() => pass(dump.subarray(0, length)), DamagedError);
  const words = Buffer.concat([Buffer.from('-ERR '), dump]);
  for (const piece of [1, words.length]) await rejects(() => pass(words, piece), DamagedError);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, hexOf, isDigest, verified } from '../../src/oci/digest.ts';
import { DamagedError } from '../../src/support/errors.ts';
import { errorOf } from '../support/deployment.ts';

/** FIPS 180-2, the one-block message of appendix B.1. */
const abc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

async function* pieces(text: string, length = 1): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += length) yield Buffer.from(text.slice(at, at + length));
}

async function passed(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  for await (const piece of bytes) read.push(piece);
  return Buffer.concat(read).toString();
}

test('a digest is the SHA-256 in lower-case hex digits, and names the file of its blob', () => {
  assert.is(digestOf('abc'), abc);
  assert.is(digestOf(Buffer.from('abc')), abc);
  assert.is(hexOf(abc), abc.slice(7));
});

test('nothing else is a digest', () => {
  assert.ok(isDigest(abc));
  const others = [abc.toUpperCase(), abc.slice(0, -1), `${abc}0`, `${abc}\n`, abc.slice(7), '', undefined, 5];
  for (const other of others) assert.not(isDigest(other), String(other));
  assert.not(isDigest(`sha512:${'0'.repeat(128)}`));
  assert.not(isDigest(abc.replace('sha256:ba', 'sha256:../')));
});

test('what was promised passes, in any pieces', async () => {
  for (const length of [1, 2, 3, 100])
    assert.is(await passed(verified(pieces('abc', length), { digest: abc, size: 3 }, 'x')), 'abc');
  assert.is(await passed(verified(pieces('abc'), { digest: abc }, 'x')), 'abc');
});

test('other bytes, fewer and more are damage, told at their end', async () => {
  for (const [text, size, message] of [
    ['abd', 3, /^reading it: its bytes have digest sha256:[0-9a-f]{64}, should have sha256:ba7816bf/],
    ['ab', 3, /^reading it: has 2 bytes, should have 3$/],
    ['', 3, /^reading it: has 0 bytes, should have 3$/],
    ['abcd', 3, /^reading it: has more than 3 bytes, should have 3$/],
    ['abcd', undefined, /its bytes have digest/],
  ] as const) {
    const want = size === undefined ? ({ digest: abc } as const) : ({ digest: abc, size } as const);
    const error = await errorOf(passed(verified(pieces(text), want, 'reading it')));
    assert.instance(error, DamagedError);
    assert.match(error.message, message);
  }
});

test('an endless stream is left as soon as it is longer than promised', async () => {
  let left = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(2);
    } finally {
      left = true;
    }
  }
  const error = await errorOf(passed(verified(endless(), { digest: abc, size: 3 }, 'reading it')));
  assert.instance(error, DamagedError);
  assert.ok(left);
});

test.run();

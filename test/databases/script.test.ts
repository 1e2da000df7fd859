import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { databaseScript } from '../../src/databases/postgres/script.ts';
import { wholeScript } from '../../src/databases/script.ts';
import { DamagedError } from '../../src/support/errors.ts';
import fc from '../support/property.ts';

const begin = '--\n-- PostgreSQL database dump\n--\n\n';
const end = '--\n-- PostgreSQL database dump complete\n--\n\n';
const key = 'k3y';
const body = Array.from({ length: 400 }, (_, line) => `INSERT INTO orders VALUES (${line});\n`).join('');
const whole = `${begin}\\restrict ${key}\n\n${body}${end}\\unrestrict ${key}\n\n`;

/** In pieces whose memory is used again as soon as the next is asked for. */
async function passed(script: string, sizes: readonly number[]): Promise<string> {
  async function* pieces() {
    const bytes = Buffer.from(script);
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const piece = Buffer.from(bytes.subarray(at, at + sizes[turn % sizes.length]!));
      at += piece.length;
      yield piece;
      piece.fill(0);
    }
  }
  let text = '';
  for await (const piece of wholeScript(pieces(), databaseScript, 'dumping'))
    text += Buffer.from(piece).toString();
  return text;
}

test('a whole script comes through without its key, in whatever pieces it comes', async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1000, max: 5000 })), {
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (chosen) => assert.is(await passed(whole, chosen), begin + body + end)),
  );
});

test('a script that is cut anywhere is damaged', async () => {
  const cuts = fc.integer({ min: 0, max: begin.length + body.length + end.length - 4 });
  const plain = begin + body + end;
  await fc.assert(
    fc.asyncProperty(cuts, fc.integer({ min: 1, max: 5000 }), async (cut, size) => {
      const error = await passed(plain.slice(0, cut), [size]).catch((reason: unknown) => reason);
      assert.instance(error, DamagedError);
    }),
  );
});

test('a script that begins with other words is damaged, however long it is', async () => {
  const plain = begin + body + end;
  for (const script of [`warning: odd\n${plain}`, plain.slice(1), end])
    for (const size of [1, 5000])
      assert.instance(await passed(script, [size]).catch((reason: unknown) => reason), DamagedError);
});

test.run();

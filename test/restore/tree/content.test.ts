import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeContent } from '../../../src/restore/tree/content.ts';
import { failure } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { entry } from '../memory-repository.ts';

const work = temporaryDirectory();

/** Writes pieces to a file, and tells how many bytes were told. */
async function write(path: string, flags: string, pieces: readonly Uint8Array[]): Promise<number> {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const file = openSync(path, flags);
  let told = 0;
  try {
    await writeContent(file, entry('file', 'app/data', { size, chunks: [] }), {
      async *content() {
        yield* pieces;
      },
      onBytes: (count) => {
        told += count;
      },
      pathOf: ({ path }) => `/srv/${path}`,
    });
  } finally {
    closeSync(file);
  }
  return told;
}

test('pieces large and small are written whole, one after the other, and told', async () => {
  const path = join(work, 'file');
  const pieces = [3, 700_000, 1, 300_000].map((length, i) => Buffer.alloc(length, `piece ${i} `));
  const whole = Buffer.concat(pieces);
  assert.is(await write(path, 'wx+', pieces), whole.length);
  assert.ok(readFileSync(path).equals(whole));
});

test('what reads back differently is no file that was restored', async () => {
  for (const [i, length] of [5, 300_000].entries()) {
    // What is written to the end, wherever it was meant to go, is not what is there.
    const path = join(work, `appended-${i}`);
    appendFileSync(path, Buffer.alloc(length, 'x'));
    const { message } = await failure(write(path, 'a+', [Buffer.alloc(length, 'y')]));
    assert.is(message, 'restoring /srv/app/data: its content reads back differently');
  }
});

test.run();

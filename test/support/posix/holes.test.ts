import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findHoles, holesOf } from '../../../src/support/posix/holes.ts';
import fc from '../property.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const directory = temporaryDirectory();
const block = 4096;

function holesAfter(act: (file: number) => number): [number, number][] {
  const file = openSync(join(directory, 'file'), 'w+');
  const holes = holesOf(file, act(file));
  closeSync(file);
  return holes;
}

function sized(file: number, size: number): number {
  ftruncateSync(file, size);
  return size;
}

test('a file without holes has none, nor has an empty one', () => {
  assert.equal(
    holesAfter((file) => writeSync(file, 'hello')),
    [],
  );
  assert.equal(
    holesAfter(() => 0),
    [],
  );
});

test('a file that is nothing but a hole is one', () => {
  assert.equal(
    holesAfter((file) => sized(file, 10 * block)),
    [[0, 10 * block]],
  );
});

test('holes before, between and after data are found', () => {
  const holes = holesAfter((file) => {
    writeSync(file, 'a', 2 * block);
    writeSync(file, 'b', 5 * block);
    return sized(file, 9 * block);
  });
  assert.equal(holes, [
    [0, 2 * block],
    [3 * block, 2 * block],
    [6 * block, 3 * block],
  ]);
});

test('offsets over 4 GiB are exact', () => {
  const offset = 2 ** 40;
  const holes = holesAfter((file) => {
    writeSync(file, 'end', offset);
    return sized(file, offset + 3);
  });
  assert.equal(holes, [[0, offset]]);
});

test('of a file that changes between two looks no hole is empty, and none touches or overlaps another', () => {
  const size = 40;
  const steps = fc.array(fc.option(fc.nat(6), { nil: undefined, freq: 9 }), {
    minLength: 200,
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (answers) => {
      let asked = 0;
      // Nothing moves for ever: a hole at the very place where data was told of comes once at most.
      const next = (offset: number) => {
        const step = answers[asked++];
        return asked > 100 ? undefined : step === undefined ? undefined : offset + step;
      };
      let end = -1;
      for (const [offset, length] of findHoles(next, size)) {
        assert.ok(offset > end && length > 0 && offset + length <= size, `${offset}, ${length} after ${end}`);
        end = offset + length;
      }
    }),
    { numRuns: 1000 },
  );
});

test.run();

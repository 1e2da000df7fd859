import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packFiles, packResults, unpackFiles, unpackResults } from '../../../src/repository/ingest/packed.ts';
import type { FileToStore, StoredFile } from '../../../src/repository/run/run.ts';
import fc from '../../support/property.ts';

const one = '0123456789abcdef'.repeat(4);
const two = 'f'.repeat(64);
const plain = { chunks: [one], size: 10 };
const asRead = { inode: 5, mtime: 1_700_000_000_123_456_789n, ctime: -1n };

test('files cross as one text and numbers', () => {
  const files: FileToStore[] = [
    { directory: 3, name: 'a', device: 2049, inode: 12, size: 0, blocks: 0, ctime: -1n },
    {
      directory: 4,
      name: 'b\n\xff',
      device: 2050,
      inode: 2 ** 52,
      size: 2 ** 43,
      blocks: 8,
      ctime: 2n ** 62n,
    },
  ];
  const packed = packFiles(files);
  assert.is(packed.names, 'a\0b\n\xff');
  assert.equal([...packed.numbers], [3, 2049, 12, 0, 0, 4, 2050, 2 ** 52, 2 ** 43, 8]);
  assert.equal([...packed.ctimes], [-1n, 2n ** 62n]);
  assert.equal(unpackFiles(packed), files);
});

test('results cross as numbers and one text; what few files have crosses by their position', () => {
  const results: StoredFile[] = [
    plain,
    { error: 'ENOENT' },
    { ...plain, chunks: [], holes: [[0, 4096]], flag: 'grew', asRead },
    { ...plain, chunks: [two, one], xattrs: { 'user.a': Buffer.of(0, 255) } },
  ];
  const packed = packResults(results);
  assert.equal([...packed.numbers], [10, 1, 0, 0, 10, 0, 10, 2]);
  assert.is(packed.chunks, one + two + one);
  assert.equal([...packed.rare.keys()], [1, 2, 3]);
  assert.equal(unpackResults(structuredClone(packed)), structuredClone(results));
});

test('a time that 64 bits of nanoseconds do not hold is whole all the same', () => {
  const far = { ...plain, asRead: { ...asRead, mtime: 2n ** 63n } };
  const before = { ...plain, asRead: { ...asRead, mtime: -(2n ** 63n) - 1n } };
  assert.equal(unpackResults(structuredClone(packResults([far, plain, before]))), [far, plain, before]);
});

test('any files and any results come back as they were', () => {
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const name = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    minLength: 1,
  });
  const time = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 64n });
  const ctime = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const numbers = { directory: count, device: count, inode: count, size: count, blocks: count };
  const file = fc.record({ ...numbers, name, ctime });
  const digest = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
  const hole = fc.tuple(count, count);
  const stored = fc.record(
    {
      chunks: fc.array(digest, { maxLength: 3 }),
      size: count,
      asRead: fc.record({ inode: count, mtime: time, ctime: time }, { noNullPrototype: true }),
      holes: fc.array(hole, { minLength: 1, maxLength: 2 }),
      xattrs: fc.dictionary(fc.constantFrom('user.a', 'user.b'), fc.uint8Array({ maxLength: 4 })),
      flag: fc.constantFrom('changed' as const, 'grew' as const),
    },
    { requiredKeys: ['chunks', 'size'], noNullPrototype: true },
  );
  const error = fc.record({ error: fc.constantFrom('ENOENT', 'ESTALE', 'EIO') }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 5 }), (files) => {
      assert.equal(
        unpackFiles(packFiles(files)),
        files.map((each) => ({ ...each })),
      );
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(stored, error), { maxLength: 5 }), (results) => {
      assert.equal(unpackResults(packResults(results)), results);
    }),
  );
});

test.run();

import { hash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ChunkTable } from '../../../src/repository/chunks/table.ts';

const digestOf = (i: number) => hash('sha256', String(i), 'buffer');

test('chunks are numbered in the order they come, and found again, over many pages', () => {
  const table = new ChunkTable();
  const count = 50_000;
  for (let i = 0; i < count; i++) assert.is(table.add(digestOf(i)), i);
  assert.is(table.size, count);
  for (let i = 0; i < count; i += 7) {
    assert.is(table.find(digestOf(i)), i);
    assert.is(table.add(digestOf(i)), i);
    assert.is(table.digestHex(i), digestOf(i).toString('hex'));
  }
  assert.is(table.size, count);
  assert.is(table.find(digestOf(count)), -1);
  assert.is(table.findHex(digestOf(count - 1).toString('hex')), count - 1);
});

test('digests that begin alike are told apart, and may stand anywhere in their bytes', () => {
  const table = new ChunkTable();
  const digests = Buffer.alloc(5 + 1000 * 32);
  for (let i = 0; i < 1000; i++) digests.writeUInt32LE(i, 5 + i * 32 + 28);
  for (let i = 0; i < 1000; i++) assert.is(table.add(digests, 5 + i * 32), i);
  for (let i = 0; i < 1000; i++) assert.is(table.find(digests, 5 + i * 32), i);
});

test.run();

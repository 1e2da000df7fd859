import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Spool } from '../../src/archive/spool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();

/** Files of the spool that this process holds open. */
function openChunks(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(directory)).length;
}

test('what is written comes back, in any order', async () => {
  const spool = new Spool(directory);
  const pieces = Array.from({ length: 20 }, (_, i) => Buffer.alloc(i * 1000, i));
  const extents = await Promise.all(pieces.map((piece) => spool.write(piece)));
  for (const i of [7, 0, 19, 3, 1, 2, 18]) assert.equal(await spool.take(extents[i]!), pieces[i]!);
  await spool.close();
});

test('its files have no names, so nothing is left of a killed process', async () => {
  const spool = new Spool(directory);
  await spool.write(Buffer.from('secret'));
  assert.equal(readdirSync(directory), []);
  assert.is(openChunks(), 1);
  await spool.close();
  assert.is(openChunks(), 0);
});

test('a chunk that was taken or dropped whole gives its space back', async () => {
  const spool = new Spool(directory);
  const mebibytes = Buffer.alloc(24 << 20, 1);
  const extents = [];
  for (let i = 0; i < 6; i++) extents.push(await spool.write(mebibytes));
  assert.is(openChunks(), 3);
  await spool.take(extents[0]!);
  assert.is(openChunks(), 3);
  await spool.drop(extents[1]!);
  assert.is(openChunks(), 2);
  await spool.take(extents[2]!);
  await spool.take(extents[3]!);
  await spool.take(extents[4]!);
  await spool.take(extents[5]!);
  assert.is(openChunks(), 1);
  await spool.write(mebibytes);
  await spool.close();
  assert.is(openChunks(), 0);
});

test.run();

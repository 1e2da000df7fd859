import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { uniteIndexes } from '../../../src/repository/packs/unite-indexes.ts';
import type { IndexRef, PackRef } from '../../../src/repository/snapshot/manifest.ts';

const pack = (name: string): PackRef => ({ digest: digestOf(name), size: 1, source: 'files' });

function index(name: string, ...packs: string[]): IndexRef {
  return { digest: digestOf(name), size: 1, packs: packs.map(pack) };
}

test('an index that many snapshots name is there once, for every pack that one of them counts on it for', () => {
  const united = uniteIndexes([
    index('new', 'c'),
    index('old', 'b', 'a'),
    index('new', 'c', 'd'),
    index('old', 'a'),
    index('oldest'),
  ]);
  assert.equal(united, [index('new', 'c', 'd'), index('old', 'b', 'a'), index('oldest')]);
});

test.run();

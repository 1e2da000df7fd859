import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unpacksLayers } from '../../../src/engine/images/unpacks.ts';

const all = ['gzip', 'zstd', 'xz', 'bzip2'];
const unpackedBy = (store: 'classic' | 'containerd', version: string) =>
  all.filter((compression) => unpacksLayers({ store, version }, compression));

test('which compressions of layers an engine knows goes by its store and its version', () => {
  assert.equal(unpackedBy('classic', '20.10.24+dfsg1'), ['gzip', 'xz', 'bzip2']);
  assert.equal(unpackedBy('classic', '23.0.0-rc.1'), all);
  assert.equal(unpackedBy('classic', 'dev'), all);
  assert.equal(unpackedBy('containerd', '26.1.5+dfsg1'), ['gzip', 'zstd']);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageDetails } from '../../../src/engine/engine.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { ReleaseRecord } from '../../../src/releases/catalog/catalog.ts';
import { movedTags } from '../../../src/releases/catalog/moved-tags.ts';

const [config, manifest, other] = ['config', 'manifest', 'other'].map((text) => digestOf(text)) as [
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
];
const platform = { os: 'linux', architecture: 'amd64' };
const release: ReleaseRecord = {
  release: '1.4',
  loaded: '2026-01-01T00:00:00Z',
  images: [{ references: ['shop/web:1.4', 'nginx:latest'], platform, config, manifest, layers: [] }],
};

function moved(reference: string, id: string) {
  return movedTags(new Map([[reference, { id } as ImageDetails]]), release).map(({ got }) => got);
}

test('a name that is what was loaded has not moved, whatever the store calls it', () => {
  assert.equal(moved('shop/web:1.4', config), []);
  assert.equal(moved('shop/web:1.4', manifest), []);
});

test('a name that is something else has moved, however it is written', () => {
  for (const name of ['shop/web:1.4', 'docker.io/shop/web:1.4', 'nginx', 'docker.io/library/nginx:latest']) {
    assert.equal(moved(name, other), [other], name);
  }
});

test('what the release does not name is nobody’s to judge', () => {
  for (const name of ['shop/web:1.3', 'registry.example/shop/web:1.4', `shop/web@${other}`, 'abcdef012345']) {
    assert.equal(moved(name, other), [], name);
  }
  assert.equal(movedTags(new Map([['nginx', { id: other } as ImageDetails]]), undefined), []);
});

test.run();

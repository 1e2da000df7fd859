import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReleaseDocument } from '../../../src/archive/index/release-document.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { layersToLeaveOut, missingBase } from '../../../src/releases/save/delta.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const image = (digits: string) => ({ layers: [...digits].map(digest) });
const leftOut = (images: string[], base: string[]) =>
  [...layersToLeaveOut(images.map(image), { release: '1', images: base.map(image) })].sort();

test('layers that the receiver has below the same layers are left out', () => {
  assert.equal(leftOut(['abc'], ['abd']), ['a', 'b'].map(digest));
  assert.equal(leftOut(['abc'], ['abc']), ['a', 'b', 'c'].map(digest));
  assert.equal(leftOut(['abc', 'ae'], ['ab', 'ae']), ['a', 'b', 'e'].map(digest));
});

test('a layer on top of others is another one to an engine', () => {
  assert.equal(leftOut(['abc'], ['bc']), []);
  assert.equal(leftOut(['abc'], ['a', 'xbc']), [digest('a')]);
});

test('a layer that one image needs is sent, although another would not need it', () => {
  assert.equal(leftOut(['ab', 'xb'], ['ab']), [digest('a')]);
  assert.equal(leftOut(['aba'], ['ab']), [digest('b')]);
});

test('without a base nothing is left out', () => {
  assert.equal([...layersToLeaveOut([image('ab')], undefined)], []);
  assert.equal(leftOut(['ab'], []), []);
});

function delta(digits: string, layers: string, release?: string): ReleaseDocument {
  const sized = (digit: string) => ({ digest: digest(digit), size: 1 });
  return {
    tool: 'test',
    images: [
      {
        references: [],
        platform: { os: 'linux', architecture: 'amd64' },
        manifest: sized('1'),
        config: sized('2'),
        layers: [...digits].map(sized),
      },
    ],
    base: { release, layers: [...layers].map(digest) },
    attachments: [],
  };
}

test('a host that lacks the base is told which release and which layers', () => {
  const { message, advice, facts } = missingBase(
    delta('abc', 'ab', '1.3'),
    ['a', 'b'].map(digest),
    'shop.tar',
  );
  assert.match(message, /^shop\.tar: is a delta to release 1\.3, which this host lacks: 2 layers missing/);
  assert.match(advice ?? '', 'Load release 1.3 first');
  assert.equal(facts.layers, ['a', 'b'].map(digest));
});

test.run();

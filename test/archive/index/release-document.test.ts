import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodeReleaseDocument,
  layersLeftOut,
  parseReleaseDocument,
  type ReleaseDocument,
} from '../../../src/archive/index/release-document.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { DamagedError } from '../../../src/support/errors.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

const document: ReleaseDocument = {
  tool: 'dockerctl 1.0.0',
  release: '1.4',
  images: [
    {
      references: ['shop/web:1.4'],
      platform: { os: 'linux', architecture: 'amd64' },
      manifest: { digest: digest('1'), size: 402 },
      config: { digest: digest('2'), size: 1466 },
      layers: [
        { digest: digest('3'), size: 77891584 },
        { digest: digest('4'), size: 10240 },
      ],
    },
  ],
  base: { release: '1.3', layers: [digest('3')] },
  attachments: [{ name: 'shop.spdx.json', mediaType: 'application/spdx+json', digest: digest('5'), size: 2 }],
};

test('a document comes back as it was, and tells which layers were left out', () => {
  const parsed = parseReleaseDocument(Buffer.from(encodeReleaseDocument(document)), 'shop.tar');
  assert.equal(parsed, document);
  assert.equal([...layersLeftOut(parsed)], [digest('3')]);
});

test('its bytes are fixed', () => {
  const minimal = { tool: 'dockerctl 1.0.0', images: [], attachments: [] };
  assert.is(
    encodeReleaseDocument(minimal),
    '{\n  "schema": 1,\n  "tool": "dockerctl 1.0.0",\n  "images": [],\n  "attachments": []\n}\n',
  );
});

test('members that we do not know are ignored', () => {
  const text = encodeReleaseDocument(document).replace('"tool"', '"later": {}, "tool"');
  assert.equal(parseReleaseDocument(Buffer.from(text), 'shop.tar'), document);
});

test('what is damaged, or of another schema, is refused and named', () => {
  const text = encodeReleaseDocument(document);
  for (const damaged of [
    '',
    text.slice(1),
    text.replace('sha256:1', 'sha512:1'),
    text.replace('"size": 402', '"size": -1'),
    text.replace('"size": 402', '"size": 4.5'),
    text.replace('"schema": 1', '"schema": 2'),
    text.replace('"layers"', '"layerz"'),
    '[]',
    'null',
  ]) {
    const parse = () => parseReleaseDocument(Buffer.from(damaged), 'shop.tar: release.json');
    assert.throws(parse, (error: unknown) => {
      return error instanceof DamagedError && error.message.startsWith('shop.tar: release.json: ');
    });
  }
});

test.run();

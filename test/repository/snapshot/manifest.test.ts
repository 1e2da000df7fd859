import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import {
  blobsOfParts,
  decodeManifest,
  encodeManifest,
  type Parts,
} from '../../../src/repository/snapshot/manifest.ts';
import { DamagedError } from '../../../src/support/errors.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const [one, two] = [
  { digest: digest('1'), size: 100, source: 'files' },
  { digest: digest('2'), size: 200, source: 'rows' },
];
const parts: Parts = {
  config: { digest: digest('c'), size: 30 },
  packs: [one, two],
  indexes: [{ digest: digest('3'), size: 40, packs: [one, two] }],
  trees: [
    { digest: digest('4'), size: 50, source: 'files', packs: [one] },
    { digest: digest('5'), size: 60, source: 'rows', packs: [] },
  ],
  notes: { digest: digest('6'), size: 70 },
  signature: { digest: digest('7'), size: 80 },
};

/** As docs/backup-format.md has it. */
const golden = [
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"',
  ',"artifactType":"application/vnd.dockerctl.snapshot.v1"',
  `,"config":{"mediaType":"application/vnd.dockerctl.snapshot.v1+json","digest":"${digest('c')}","size":30}`,
  `,"layers":[{"mediaType":"application/vnd.dockerctl.pack.v1.tar+zstd","digest":"${digest('1')}","size":100`,
  ',"annotations":{"dockerctl.source":"files"}}',
  `,{"mediaType":"application/vnd.dockerctl.pack.v1.tar+zstd","digest":"${digest('2')}","size":200`,
  ',"annotations":{"dockerctl.source":"rows"}}',
  `,{"mediaType":"application/vnd.dockerctl.index.v1.jsonl+zstd","digest":"${digest('3')}","size":40`,
  ',"annotations":{"dockerctl.packs":"0 1"}}',
  `,{"mediaType":"application/vnd.dockerctl.tree.v1.jsonl+zstd","digest":"${digest('4')}","size":50`,
  ',"annotations":{"dockerctl.source":"files","dockerctl.packs":"0"}}',
  `,{"mediaType":"application/vnd.dockerctl.tree.v1.jsonl+zstd","digest":"${digest('5')}","size":60`,
  ',"annotations":{"dockerctl.source":"rows","dockerctl.packs":""}}',
  `,{"mediaType":"application/vnd.dockerctl.notes.v1.json+zstd","digest":"${digest('6')}","size":70}`,
  `,{"mediaType":"application/vnd.dockerctl.signature.v1+ssh","digest":"${digest('7')}","size":80}]}`,
].join('');

function decode(text: string): Parts {
  return decodeManifest(Buffer.from(text), 'it');
}

function refused(text: string): string {
  try {
    decode(text);
  } catch (error) {
    assert.instance(error, DamagedError, `${text.slice(0, 300)}: ${error}`);
    return (error as Error).message;
  }
  return 'accepted';
}

test('a manifest is written to the letter, and read back', () => {
  assert.is(encodeManifest(parts, false).toString(), golden);
  assert.equal(decode(golden), parts);
});

test('what is sealed is said by the media types, and is the same otherwise', () => {
  const sealed = encodeManifest(parts, true);
  const count = (text: string) => sealed.toString().split(text).length - 1;
  assert.equal([count('+age'), count('+zstd+age')], [6, 6]);
  assert.equal(decodeManifest(sealed, 'it'), parts);
});

test('a snapshot without notes and signature names neither', () => {
  const bare = { ...parts, notes: undefined, signature: undefined };
  const text = encodeManifest(bare, false).toString();
  assert.not.match(text, /notes|signature/);
  assert.equal(decode(text), bare);
});

test('the blobs of a snapshot are named once each, and those that tell of it first', () => {
  assert.equal(
    blobsOfParts({ ...parts, packs: [one, two, { ...one, source: 'rows' }] }).map((blob) => blob.digest[7]),
    ['c', '7', '1', '2', '3', '4', '5', '6'],
  );
});

test('in whatever byte a manifest is changed, and wherever it is cut, it is read or is damage', () => {
  const bytes = Buffer.from(golden);
  for (let at = 0; at < bytes.length; at++) {
    assert.is.not(refused(golden.slice(0, at)), 'accepted', `cut to ${at} bytes`);
    for (const change of [0x01, 0x02, 0x10, 0x80]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= change;
      refused(changed.toString('latin1'));
    }
  }
});

test('what is no manifest of a snapshot is damage', () => {
  const whole = JSON.parse(golden);
  const layer = whole.layers[3];
  for (const wrong of [
    null,
    [],
    'text',
    { ...whole, artifactType: 'application/vnd.other' },
    { ...whole, config: undefined },
    { ...whole, config: { ...whole.config, digest: digestOf('x').slice(0, -1) } },
    { ...whole, layers: undefined },
    { ...whole, layers: [null] },
    { ...whole, layers: [{ ...layer, size: -1 }] },
    { ...whole, layers: [{ ...layer, annotations: { 'dockerctl.packs': 5 } }] },
    { ...whole, layers: [{ ...layer, annotations: { 'dockerctl.packs': '', 'dockerctl.source': {} } }] },
    { ...whole, layers: [{ ...layer, annotations: 'dockerctl.packs' }] },
  ]) {
    assert.match(refused(JSON.stringify(wrong)), /^reading it: it is not the manifest of a snapshot$/);
  }
});

test('a tree that names what is no pack is damage', () => {
  for (const position of ['2', '7', '-1', '0.5', 'x', '0  9'])
    assert.match(
      refused(golden.replace('"dockerctl.packs":"0 1"', `"dockerctl.packs":"${position}"`)),
      /which is no pack$/,
    );
});

test.run();

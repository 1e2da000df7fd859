import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../../src/oci/digest.ts';
import { type Config, decodeConfig, encodeConfig } from '../../../src/repository/snapshot/config.ts';
import { DamagedError } from '../../../src/support/errors.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const times = {
  started: new Date('2026-01-31T02:00:00.000Z'),
  ended: new Date('2026-01-31T02:05:00.000Z'),
};
const config: Config = {
  repository: '0123456789abcdef'.repeat(2),
  snapshot: {
    ...times,
    host: 'here',
    deployment: 'shop',
    release: '1.4',
    complete: false,
    predecessor: digest('9'),
    tags: ['before-upgrade'],
    recipients: ['age1abc'],
    sources: [
      {
        name: 'config',
        title: 'Configuration',
        kind: 'paths',
        ...times,
        complete: true,
        files: 3,
        bytes: 4096,
        newBytes: 100,
        warnings: [],
        origin: { paths: ['/etc/shop'] },
      },
    ],
    added: { bytes: 5000, blobs: 4 },
  },
  trees: new Map([['config', [digest('4'), digest('5')]]]),
  notes: digest('6'),
  warnings: new Map([['config', 0]]),
};

/** As docs/backup-format.md has it. */
const golden = [
  '{"format":1,"repository":"0123456789abcdef0123456789abcdef"',
  ',"started":"2026-01-31T02:00:00.000Z","ended":"2026-01-31T02:05:00.000Z","host":"here","deployment":"shop"',
  `,"release":"1.4","complete":false,"predecessor":"${digest('9')}","added":{"bytes":5000,"blobs":4}`,
  ',"tags":["before-upgrade"],"recipients":["age1abc"]',
  ',"sources":[{"name":"config","title":"Configuration","kind":"paths"',
  ',"started":"2026-01-31T02:00:00.000Z","ended":"2026-01-31T02:05:00.000Z","complete":true',
  ',"files":3,"bytes":4096,"newBytes":100,"origin":{"paths":["/etc/shop"]},"warnings":0',
  `,"tree":["${digest('4')}","${digest('5')}"]}],"notes":"${digest('6')}"}`,
].join('');

function refused(text: string | Buffer): string {
  try {
    decodeConfig(Buffer.from(text), 'it');
  } catch (error) {
    assert.instance(error, DamagedError);
    return (error as Error).message;
  }
  return 'accepted';
}

test('a config is read as docs/backup-format.md tells, and comes back the same', () => {
  assert.equal(decodeConfig(Buffer.from(golden), 'it'), config);
  assert.equal(JSON.parse(encodeConfig(config).toString()), JSON.parse(golden));
  assert.equal(decodeConfig(encodeConfig(config), 'it'), config);
});

test('what a snapshot has not got is not written, and read as nothing', () => {
  const { release, predecessor, ...rest } = config.snapshot;
  const snapshot = { ...rest, release: undefined, predecessor: undefined, tags: [], recipients: [] };
  const bare = { ...config, snapshot, notes: undefined };
  const text = encodeConfig(bare).toString();
  assert.not.match(text, /release|predecessor|tags|recipients|notes/);
  assert.equal(decodeConfig(Buffer.from(text), 'it'), bare);
});

test('in whatever byte a config is changed, and wherever it is cut, it is read or is damage', () => {
  const bytes = Buffer.from(golden);
  for (let at = 0; at < bytes.length; at++) {
    assert.is.not(refused(bytes.subarray(0, at)), 'accepted', `cut to ${at} bytes`);
    for (const change of [0x01, 0x02, 0x10, 0x80]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= change;
      refused(changed);
    }
  }
});

test('another format, and names that could leave a directory or stand twice, are damage', () => {
  const whole = JSON.parse(golden);
  const [source] = whole.sources;
  for (const [wrong, message] of [
    [{ ...whole, format: 2 }, /its format is 2, we know 1/],
    [{ ...whole, repository: '../0123456789abcdef0123456789abcd' }, /is no id of a repository/],
    [{ ...whole, sources: [source, source] }, /"config" is no name for a source of its own/],
    [{ ...whole, sources: [{ ...source, name: '../etc' }] }, /"..\/etc" is no name/],
    [{ ...whole, sources: [{ ...source, tree: [`${digest('4')}0`] }] }, /is not a digest/],
    [{ ...whole, sources: [{ ...source, files: -1 }] }, /files is not a number/],
    [{ ...whole, sources: [{ ...source, origin: { paths: [['/etc']] } }] }, /origin is not text/],
    [{ ...whole, sources: [{ ...source, origin: { service: 5 } }] }, /origin is not text/],
    [{ ...whole, sources: [null] }, /it is not the config of a snapshot/],
    [{ ...whole, started: 'yesterday' }, /started is not a time/],
    [{ ...whole, tags: 'one' }, /tags is not a list/],
    [null, /it is not the config of a snapshot/],
  ] as const) {
    assert.match(refused(JSON.stringify(wrong)), message);
  }
});

test('a config of more sources than any host has is judged in no time', () => {
  const sources = Array.from({ length: 300_000 }, (_, i) => ({ name: `source${i}` }));
  const bytes = Buffer.from(JSON.stringify({ format: 1, sources }));
  const begun = performance.now();
  assert.throws(
    () => decodeConfig(bytes, 'it'),
    (error: unknown) => error instanceof DamagedError,
  );
  assert.ok(performance.now() - begun < 20_000, 'each name was compared with every other');
});

test.run();

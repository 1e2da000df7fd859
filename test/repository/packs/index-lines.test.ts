import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../../src/oci/digest.ts';
import {
  decodeIndex,
  encodeIndexHeader,
  encodePackLine,
  type PackContents,
} from '../../../src/repository/packs/index-lines.ts';
import { DamagedError } from '../../../src/support/errors.ts';

const pack: Digest = `sha256:${'a'.repeat(64)}`;
const chunk = '0123456789abcdef'.repeat(4);
const header = { repository: 'f'.repeat(32), seed: Buffer.from([1, 2, 255]) };
const contents: PackContents = {
  pack,
  size: 3000,
  frames: [
    { length: 1000, sizes: [10, 20], chunks: chunk + chunk },
    { length: 1500, sizes: [], chunks: '' },
  ],
};

/** As docs/backup-format.md has it. */
const golden = [
  `{"repository":"${'f'.repeat(32)}","seed64":"AQL/"}`,
  `{"pack":"${pack}","size":3000,"frames":[{"length":1000,"sizes":[10,20],"chunks":"${chunk}${chunk}"},{"length":1500,"sizes":[],"chunks":""}]}`,
  '',
].join('\n');

function refused(text: string | Buffer): string {
  try {
    decodeIndex(Buffer.from(text), 'it');
  } catch (error) {
    assert.instance(error, DamagedError);
    return (error as Error).message;
  }
  return 'accepted';
}

test('an index is written to the letter, and read back', () => {
  assert.is(`${encodeIndexHeader(header)}\n${encodePackLine(contents)}\n`, golden);
  assert.equal(decodeIndex(Buffer.from(golden), 'it'), { header, packs: [contents] });
  assert.equal(decodeIndex(Buffer.from(encodeIndexHeader(header)), 'it'), { header, packs: [] });
});

test('a line longer than that of any pack is damage: whoever took it for JSON might fill the memory', () => {
  const text = `${encodeIndexHeader(header)}\n{"pack":[${'[],'.repeat(3 << 20)}[]]}\n`;
  assert.match(refused(text), /a line longer than any that is written/);
});

test('an index that tells of a frame larger than any that is written is damage: whoever read it would fill the memory', () => {
  const chunks = chunk.repeat(2);
  const longest = { length: 8 << 20, sizes: [4 << 20, 3 << 20], chunks };
  const wrong = [
    { ...longest, length: 2 ** 52 },
    { ...longest, sizes: [4 << 20, 4 << 20] },
    { ...longest, sizes: [0, 2 ** 50] },
  ];
  const indexOf = (frame: PackContents['frames'][0]) =>
    `${encodeIndexHeader(header)}\n${encodePackLine({ ...contents, frames: [frame] })}\n`;
  assert.is(refused(indexOf(longest)), 'accepted');
  for (const frame of wrong) assert.match(refused(indexOf(frame)), /a frame of sha256:a+ larger than any/);
});

test('in whatever byte an index is changed, it is read or is damage; cut within a line it is damage', () => {
  const bytes = Buffer.from(golden);
  const headerEnd = golden.indexOf('\n');
  for (let at = 0; at < bytes.length - 1; at++) {
    const isWhole = at === headerEnd || at === headerEnd + 1;
    assert.is(refused(bytes.subarray(0, at)) === 'accepted', isWhole, `cut to ${at} bytes`);
    for (const change of [0x01, 0x02, 0x10, 0x80]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= change;
      refused(changed);
    }
  }
});

test('a line that does not tell of a pack is damage', () => {
  const [first] = golden.split('\n');
  const [frame] = contents.frames;
  for (const wrong of [
    null,
    {},
    { ...contents, pack: 'sha256:../x' },
    { ...contents, size: -1 },
    { ...contents, frames: {} },
    { ...contents, frames: [null] },
    { ...contents, frames: [{ ...frame, length: 1.5 }] },
    { ...contents, frames: [{ ...frame, sizes: [10] }] },
    { ...contents, frames: [{ ...frame, sizes: [10, -1] }] },
    { ...contents, frames: [{ ...frame, chunks: `${chunk}${chunk.toUpperCase()}` }] },
  ]) {
    assert.match(refused(`${first}\n${JSON.stringify(wrong)}\n`), /^reading it: it is not an index/);
  }
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Crc64, ecma } from '../../../src/databases/crc64.ts';
import { type ArchiveContent, wholeArchive } from '../../../src/databases/mongodb/whole-archive.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { archive, bson } from './archive.ts';

async function pass(
  bytes: Buffer,
  pieceLength = bytes.length,
): Promise<{ passed: Buffer; content: ArchiveContent }> {
  const content: ArchiveContent = { serverVersion: undefined, databases: new Map() };
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceLength) yield bytes.subarray(at, at + pieceLength);
  }
  return { passed: Buffer.concat(await Array.fromAsync(wholeArchive(pieces(), 'x', content))), content };
}

async function damage(bytes: Buffer): Promise<unknown> {
  return pass(bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

test('the checksum is CRC-64 of ECMA-182 as Go and xz compute it', () => {
  const checksum = new Crc64(ecma);
  checksum.update(Buffer.from('123456789'));
  assert.is(checksum.value, 0x995dc9bbdf1939fan);
});

test('a whole archive passes as it is, in any cut', async () => {
  const whole = archive();
  for (const length of [1, 2, 3, 5, 64, whole.length]) {
    const { passed, content } = await pass(whole, length);
    assert.equal(passed, whole);
    assert.is(content.serverVersion, '7.0.5');
    assert.equal([...content.databases], [['shop', { collections: 3, documents: 5 }]]);
  }
});

test('cut anywhere, also between two blocks, it is damage', async () => {
  const whole = archive();
  for (let length = 0; length < whole.length; length++)
    assert.instance(await damage(whole.subarray(0, length)), DamagedError, `cut at ${length}`);
});

test('a changed byte in a document, a name, a length or a checksum is damage', async () => {
  const whole = archive();
  const data = whole.indexOf(Buffer.of(0xff, 0xff, 0xff, 0xff));
  for (let at = data; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0x10;
    // What is left: the names of fields that nobody reads, and CRC of a block that is no end.
    const harmless = (await damage(changed)) === undefined;
    if (harmless) assert.ok(insideUnread(whole, at), `byte ${at}`);
  }
});

test('what is no archive, what holds nothing, and what follows an end are refused', async () => {
  for (const [bytes, fault] of [
    [Buffer.from('connection refused\n'), /does not begin like one/],
    [
      archive().subarray(0, archive().indexOf(Buffer.of(0xff, 0xff, 0xff, 0xff)) + 4),
      /it ends before shop\.a/,
    ],
    [
      Buffer.concat([archive(), bson({ db: 'shop', collection: 'a', EOF: false, CRC: 0n })]),
      /goes on after its end/,
    ],
  ] as const) {
    assert.match(((await damage(bytes)) as Error).message, fault);
  }
});

test('an archive without a collection, and blocks that belong to none or end without a checksum, are damage', async () => {
  const whole = archive();
  const behind = (...parts: Buffer[]) => Buffer.concat([whole, ...parts]);
  for (const [bytes, fault] of [
    [Buffer.concat([magic, bson({ server_version: '7.0.5' }), terminator]), /it holds no collection/],
    [behind(bson({ db: 'shop', EOF: false, CRC: 0n })), /a block is of no collection/],
    [behind(bson({ db: 'shop', collection: 'c', EOF: true })), /shop\.c does not match its checksum/],
    [behind(emptyEnd('c'), bson({ _id: 1 }), terminator), /documents follow the end of a collection/],
  ] as const) {
    assert.match(((await damage(bytes)) as Error).message, fault);
  }
});

test('a view and a time series need no end, whichever field of the announcement says what they are', async () => {
  for (const [fields, optional] of [
    [{ metadata: '{"options":{"viewOn":"a"}}' }, true],
    [{ metadata: '{"options":{"timeseries":{}}}', type: 'timeseries' }, true],
    [{ metadata: '{}', type: 'view' }, true],
    [{ type: 'timeseries' }, true],
    [{ metadata: '{}', type: 'viewer' }, false],
    [{ metadata: '{}', type: 'overview' }, false],
    [{}, false],
  ] as const) {
    const announced = bson({ db: 'shop', collection: 'seen', ...fields });
    const c = [emptyEnd('c'), terminator];
    const bytes = Buffer.concat([magic, bson({ server_version: '4.4' }), announced, terminator, ...c]);
    const fault = (await damage(bytes)) as Error | undefined;
    assert.is(fault?.message.includes('it ends before shop.seen'), optional ? undefined : true);
  }
});

const magic = Buffer.of(0x6d, 0xe2, 0x99, 0x81);
const terminator = Buffer.alloc(4, 0xff);

function emptyEnd(collection: string): Buffer {
  return bson({ db: 'shop', collection, EOF: true, CRC: 0n });
}

/**
 * In the header of a block that is no end: its checksum means nothing, and neither do the names of its flag and its
 * checksum.
 */
function insideUnread(whole: Buffer, at: number): boolean {
  for (let from = whole.indexOf('\x08EOF\0\0'); from !== -1; from = whole.indexOf('\x08EOF\0\0', from + 1)) {
    if (at >= from && at < from + 6 + 5 + 8) return true;
  }
  return false;
}

test.run();

import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extractBytes } from '../../../src/support/tar/extract-bytes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const names = ['ascii', 'two\xc3\xa9bytes', 'no\xfftext', `long\xfe${'a'.repeat(120)}`].sort();
for (const name of names) {
  const path = Buffer.from(`${directory}/${name}`, 'latin1');
  if (name.startsWith('no')) writeFileSync(path, '');
  else symlinkSync(Buffer.from(`${name}\x80`, 'latin1'), path);
}

async function namesIn(pieces: Iterable<Buffer>): Promise<[string, string | null | undefined][]> {
  const entries = extractBytes();
  Readable.from(pieces)
    .on('error', () => {})
    .pipe(entries as unknown as Writable);
  const found: [string, string | null | undefined][] = [];
  for await (const entry of entries) {
    found.push([entry.header.name, entry.header.linkname]);
    entry.resume();
  }
  return found;
}

for (const format of ['gnu', 'pax', 'ustar']) {
  test(`every byte of a name and a link's target is told, in a tar of the format ${format}`, async () => {
    const fitting = format === 'ustar' ? names.filter((name) => name.length < 100) : names;
    const list = Buffer.from(fitting.join('\n'), 'latin1');
    const tar = execFileSync('tar', ['-c', `--format=${format}`, '-C', directory, '-T', '-'], {
      input: list,
    });
    const wanted = fitting.map((name) => [name, name.startsWith('no') ? null : `${name}\x80`]);
    assert.equal(await namesIn([tar]), wanted);
    assert.equal(await namesIn(Array.from(tar, (byte) => Buffer.of(byte))), wanted, 'byte by byte');
  });
}

/** What stands before an entry: a PAX header with these records. */
function withRecords(records: string): Buffer {
  const tar = execFileSync('tar', ['-c', '--format=ustar', '-C', directory, 'ascii']);
  const content = Buffer.alloc(512);
  const header = Buffer.from(tar.subarray(0, 512));
  const size = content.write(records, 'latin1');
  header.write('x', 156);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, tar]);
}

test('a record of a PAX header holds any bytes, whatever its length becomes as text', async () => {
  for (const length of [1, 43, 44, 45, 86, 87, 88, 89, 90, 91, 92, 180, 400]) {
    const path = '\xff'.repeat(length);
    const record = ` path=${path}\n`;
    const digits = String(record.length + 2).length;
    const found = await namesIn([withRecords(`${record.length + digits}${record}`)]);
    assert.is(found[0]?.[0], path, String(length));
  }
});

test('records that contradict their lengths are no tar', async () => {
  for (const records of ['99 path=a\n', 'x path=a\n', '10', '0 path=a\n', '-1 path=a\n'])
    await namesIn([withRecords(records)]).then(
      () => assert.unreachable(records),
      (error: Error) => assert.match(error.message, /PAX/),
    );
});

test.run();

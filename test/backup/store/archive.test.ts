import { type Pack, pack } from 'tar-stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { storeArchive } from '../../../src/backup/store/archive.ts';
import { ProblemLog } from '../../../src/backup/store/problem-log.ts';
import { silent } from '../../../src/support/progress.ts';
import { extractBytes } from '../../../src/support/tar/extract-bytes.ts';
import { MemoryWriter } from '../../support/memory-writer.ts';

async function stored(tar: Pack, exclude: string[] = [], include: string[] = []): Promise<MemoryWriter> {
  tar.finalize();
  const writer = new MemoryWriter();
  const lists = { include, exclude, oneFileSystem: false, excludeCaches: false };
  const task = silent.begin('');
  await storeArchive(tar.pipe(extractBytes()), lists, new ProblemLog(writer, ''), { writer, task });
  return writer;
}

test('names are those of the tar byte by byte, the character that stands for what is no text among them', async () => {
  const tar = pack();
  tar.entry({ name: 'data/', type: 'directory' });
  tar.entry({ name: 'data/\ufffd' }, 'content');
  const { complete, entries } = await stored(tar);
  assert.equal([complete, entries.map(({ path }) => path)], [true, ['.', '\xef\xbf\xbd']]);
  assert.equal(entries[1]?.xattrs ?? {}, {}, 'what else a tar says at length is no attribute');
});

test('directories on the way to what is included come along, and no others', async () => {
  const tar = pack();
  tar.entry({ name: 'data/', type: 'directory' });
  for (const name of ['data/a/', 'data/a/other', 'data/b/', 'data/b/c/', 'data/b/c/wanted', 'data/b/other']) {
    tar.entry({ name, type: name.endsWith('/') ? 'directory' : 'file' }, '');
  }
  const { entries } = await stored(tar, [], ['*/c/wanted']);
  assert.equal(
    entries.map(({ path }) => path),
    ['.', 'b', 'b/c', 'b/c/wanted'],
  );
});

test('a further name of a link, a pipe or a device is of that kind, though a tar does not say so', async () => {
  const tar = pack();
  tar.entry({ name: 'data/', type: 'directory' });
  tar.entry({ name: 'data/device', type: 'character-device', devmajor: 1, devminor: 3 });
  tar.entry({ name: 'data/device2', type: 'link', linkname: 'data/device' });
  tar.entry({ name: 'data/file' }, 'content');
  tar.entry({ name: 'data/file2', type: 'link', linkname: 'data/file' });
  tar.entry({ name: 'data/pipe', type: 'fifo' });
  tar.entry({ name: 'data/pipe2', type: 'link', linkname: 'data/pipe' });
  tar.entry({ name: 'data/to', type: 'symlink', linkname: 'nowhere' });
  tar.entry({ name: 'data/to2', type: 'link', linkname: 'data/to' });
  const writer = await stored(tar);
  const names = writer.entries.filter(({ hardlink }) => hardlink !== undefined);
  assert.equal(
    names.map(({ path, type, hardlink, target, device }) => [path, type, hardlink, target, device?.minor]),
    [
      ['device2', 'character', 'device', undefined, 3],
      ['file2', 'file', 'file', undefined, undefined],
      ['pipe2', 'fifo', 'pipe', undefined, undefined],
      ['to2', 'symlink', 'to', 'nowhere', undefined],
    ],
  );
});

test('a further name of a file that is left out is told of in the words of people', async () => {
  const tar = pack();
  tar.entry({ name: 'data/', type: 'directory' });
  tar.entry({ name: 'data/für' }, 'content');
  tar.entry({ name: 'data/über', type: 'link', linkname: 'data/für' });
  const { warnings } = await stored(tar, ['für']);
  assert.equal(warnings, ['über: is another name of für, which is left out']);
});

test('a time before 1970 is exact to the nanosecond', async () => {
  const tar = pack();
  tar.entry({ name: 'data/', type: 'directory', mtime: new Date(0) });
  for (const [name, mtime] of Object.entries({ a: '-1.5', b: '-0.000000001', c: '-2', d: '1.25' }))
    tar.entry({ name: `data/${name}`, pax: { mtime } }, name);
  const { entries } = await stored(tar);
  assert.equal(
    entries.slice(1).map(({ mtime }) => mtime),
    [-1_500_000_000n, -1n, -2_000_000_000n, 1_250_000_000n],
  );
});

test.run();

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../../../src/archive/archive.ts';
import { indexArchive } from '../../../src/archive/index/archive-index.ts';
import { openIndexCache } from '../../../src/archive/index/index-cache.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { docker113 } from '../fixtures/eras.ts';
import { fixtureImage } from '../fixtures/images.ts';
import { tarOf } from '../fixtures/tar.ts';

const directory = temporaryDirectory();
const path = join(directory, 'image.tar.xz');
const cached = join(directory, 'cache');
const image = await fixtureImage();

async function write(references: string[]): Promise<void> {
  const tar = await tarOf(docker113([{ ...image, references }]));
  writeFileSync(path, execFileSync('xz', ['-c', '--block-size=4096'], { input: tar }));
}

/** How often entries were read, and the names that were found. */
async function index(secondsLater = 60): Promise<{ reads: number; references: string[] }> {
  const archive = await openArchive(path, { now: () => new Date(Date.now() + secondsLater * 1000) });
  let reads = 0;
  const counting = {
    ...archive,
    seekable: archive.seekable!,
    entries() {
      reads += 1;
      return archive.entries();
    },
  };
  try {
    const { images } = (await indexArchive(counting, openIndexCache(cached))).index;
    return { reads, references: images.flatMap(({ references }) => references) };
  } finally {
    await archive.close();
  }
}

test('an archive is indexed once, and again when it has changed', async () => {
  await write(['shop/web:1']);
  assert.equal(await index(0), { reads: 1, references: ['shop/web:1'] });
  assert.equal(await index(0), { reads: 1, references: ['shop/web:1'] }, 'too young to be remembered');
  assert.is((await index()).reads, 1);
  assert.equal(await index(), { reads: 0, references: ['shop/web:1'] });
  utimesSync(path, 1, 1);
  assert.is((await index()).reads, 1);
});

test('what is damaged in the cache is as if it were missing', async () => {
  const files = readdirSync(cached).map((name) => join(cached, name));
  const texts = files.map((path) => readFileSync(path, 'utf8'));
  const damages: ((text: string) => string)[] = [
    () => '',
    () => '{"schema":1',
    (text) => text.slice(0, -1),
    (text) => text.replace('manifest.json', 'manifest.jsom'),
  ];
  for (const damaged of damages) {
    for (const [i, path] of files.entries()) writeFileSync(path, damaged(texts[i]!));
    assert.equal(await index(), { reads: 1, references: ['shop/web:1'] });
  }
  for (const path of files) {
    rmSync(path);
    execFileSync('mkfifo', [path]);
  }
  assert.equal(await index(), { reads: 1, references: ['shop/web:1'] }, 'a pipe keeps nobody waiting');
});

test.run();

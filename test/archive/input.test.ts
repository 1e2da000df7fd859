import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../../src/archive/archive.ts';
import { indexOneWay } from '../../src/archive/index/one-way-index.ts';
import { InterruptedError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { docker113 } from './fixtures/eras.ts';
import { fixtureImage } from './fixtures/images.ts';
import { tarOf } from './fixtures/tar.ts';

const directory = temporaryDirectory();
const fifo = join(directory, 'fifo');
execFileSync('mkfifo', [fifo]);
const path = join(directory, 'image.tar');
const image = await fixtureImage();
const tar = await tarOf(docker113([image]));
writeFileSync(path, tar);

test('a FIFO is read once somebody writes into it', async () => {
  const opening = openArchive(fifo);
  await setTimeout(50);
  const writer = spawn('sh', ['-c', `cat ${path} >${fifo}`]);
  const archive = await opening;
  const { index } = await indexOneWay(archive, { stopAtLayers: false });
  assert.equal(index.images[0]?.references, image.references);
  await archive.close();
  await new Promise((resolve) => writer.on('close', resolve));
});

test('who waits for a FIFO that nobody writes into, or for a silent pipe, can be interrupted', async () => {
  for (const input of [fifo, { name: 'standard input', stream: new PassThrough() }]) {
    const controller = new AbortController();
    const opening = openArchive(input, { signal: controller.signal });
    opening.catch(() => {});
    await setTimeout(20);
    controller.abort();
    await rejects(() => opening, InterruptedError);
  }
});

test('reading can be interrupted when half of the archive has come', async () => {
  const controller = new AbortController();
  const stream = new PassThrough();
  stream.write(tar.subarray(0, tar.length / 2));
  const archive = await openArchive({ name: 'standard input', stream }, { signal: controller.signal });
  const reading = indexOneWay(archive, { stopAtLayers: false });
  reading.catch(() => {});
  await setTimeout(20);
  controller.abort();
  await rejects(() => reading, InterruptedError);
  await archive.close();
});

test.run();

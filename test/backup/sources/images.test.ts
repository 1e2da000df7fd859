import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { storeImages } from '../../../src/backup/sources/images.ts';
import type { SourceJob } from '../../../src/backup/store/source-job.ts';
import type { ProgressTask } from '../../../src/support/progress.ts';
import { silent } from '../../../src/support/progress.ts';
import { docker25 } from '../../archive/fixtures/eras.ts';
import { fixtureImage } from '../../archive/fixtures/images.ts';
import { engineOfEra } from '../../releases/era-engine.ts';
import { MemoryWriter } from '../../support/memory-writer.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const image = 'shop/web:1';
const layer = randomBytes(400_000).toString('hex'); // More than a pipe between the two holds.
const web = await fixtureImage({ references: [image], contents: [layer] });

test('images that can no longer be stored are saved no further', async () => {
  const writer = new MemoryWriter();
  writer.storeStream = async () => {
    throw new Error('the disk is full');
  };
  const open = new Set<ProgressTask>();
  const context = quietContext(temporaryDirectory());
  const begin = () => {
    const task: ProgressTask = { advance() {}, setTotal() {}, end: () => void open.delete(task) };
    open.add(task);
    return task;
  };
  const job = {
    ...{ deployment: { services: [{ image }] }, engine: engineOfEra(docker25, [web]), writer },
    ...{ task: silent.begin(''), context: { ...context, progress: { ...silent, begin } } },
  } as unknown as SourceJob;
  await storeImages(job).then(
    () => assert.unreachable('they were stored'),
    (error: Error) => assert.is(error.message, 'the disk is full'),
  );
  for (let look = 0; look < 50 && open.size > 0; look++) await setTimeout(20);
  assert.is(open.size, 0, 'somebody still waits for the repository');
});

test.run();

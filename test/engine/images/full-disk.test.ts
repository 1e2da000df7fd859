import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NoSpaceError } from '../../../src/support/errors.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { dockerArchive, streamOf, uniqueReference } from '../../support/images.ts';

const test = suite('full disk');

test('an image that does not fit into the engine is told apart from every other failure, and is not kept', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'dockerctl-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
  const { engine, stop } = await throwawayEngine('full', { dataRoot: disk });
  try {
    const reference = uniqueReference();
    const archive = await dockerArchive([
      { references: [reference], layers: [{ big: randomBytes(12 * 1024 * 1024) }] },
    ]);
    const error = await engine.images.load(streamOf(archive)).catch((thrown) => thrown);
    assert.instance(error, NoSpaceError);
    assert.is(await engine.images.inspect(reference), undefined);
  } finally {
    await stop();
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
  }
});

test.run();

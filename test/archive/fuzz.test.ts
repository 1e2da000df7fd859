import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fuzz } from './fixtures/fuzz.ts';
import { goodArchives } from './fixtures/mutations.ts';

test('600 mutated archives are read or refused, none crashes or hangs', async () => {
  const path = join(temporaryDirectory(), 'mutated');
  const archives = await goodArchives(async (tar) =>
    execFileSync('xz', ['-c', '-T2', '--block-size=4096'], { input: tar }),
  );
  const asFile = (bytes: Buffer) => {
    writeFileSync(path, bytes);
    return path;
  };
  const { refused, accepted } = await fuzz(archives, { seed: 1, cases: 600, asFile });
  assert.ok(refused > accepted, `${refused} refused, ${accepted} accepted`);
});

test.run();

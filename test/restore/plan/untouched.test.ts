import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { untouchedIn } from '../../../src/restore/plan/untouched.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('what the kernel mounts in a target is left alone, for backups hold nothing of it', () => {
  const path = join(temporaryDirectory(), 'host');
  const [proc, memory] = [join(path, 'proc'), join(path, 'memory')];
  for (const directory of [proc, memory]) mkdirSync(directory, { recursive: true });
  execFileSync('mount', ['-t', 'proc', 'none', proc]);
  execFileSync('mount', ['-t', 'tmpfs', 'none', memory]);
  try {
    const surroundings = { mounts: [proc, memory], filter: undefined, stateDir: '/var/lib/dockerctl' };
    assert.equal(untouchedIn({ path }, surroundings), [proc]);
  } finally {
    for (const mount of [proc, memory]) execFileSync('umount', [mount]);
  }
});

test.run();

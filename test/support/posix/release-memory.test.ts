import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanMappings } from '../../../src/support/posix/release-memory.ts';

const smaps = `00400000-00800000 r--p 00000000 08:01 99 /usr/bin/node
Size: 4096 kB
Anonymous: 0 kB
00800000-00a00000 r-xp 00400000 08:01 99 /usr/bin/node with a space
Anonymous:             0 kB
00a00000-00b00000 r--p 00600000 08:01 99 /usr/bin/node
Anonymous:            12 kB
00b00000-00c00000 rw-p 00700000 08:01 99 /usr/bin/node
Anonymous:             0 kB
00c00000-00d00000 rwxp 00700000 08:01 99 /usr/bin/node
Anonymous:             0 kB
00d00000-00e00000 r--s 00700000 08:01 99 /usr/bin/shared
Anonymous:             0 kB
7f0000000000-7f0000100000 r-xp 00000000 00:00 0
Anonymous:             0 kB
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
`;

test('only what a file can give again counts: never what was or may be written to', () => {
  assert.equal(
    [...cleanMappings(smaps)],
    [
      { from: 0x400000, to: 0x800000 },
      { from: 0x800000, to: 0xa00000 },
    ],
  );
});

test('a process holds less of its program afterwards, and works on', () => {
  const script = `
    import { createHash } from 'node:crypto';
    import { readFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    import { gunzipSync, gzipSync } from 'node:zlib';
    import { releaseMemory } from './src/support/posix/release-memory.ts';
    const held = () => Number(/RssFile:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]);
    const work = () => createHash('sha256').update(gunzipSync(gzipSync('x'.repeat(1e6)))).digest('hex');
    const digest = work();
    const before = held();
    releaseMemory();
    const after = held();
    for (let i = 0; i < 10; i++) {
      if (work() !== digest) throw new Error('it computes otherwise');
      await setTimeout(10);
    }
    console.log(JSON.stringify({ before, after }));
  `;
  const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', script];
  const { before, after } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  assert.ok(after < before * 0.7, `${before} kB before, ${after} kB after`);
});

test.run();

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const childOfSession = `
  import { readFileSync } from 'node:fs';
  import { lightenSession } from './src/support/posix/light-session.ts';
  const takeBack = lightenSession();
  process.stdout.write(readFileSync('/proc/self/autogroup'));
  takeBack();
`;

test('a session without a terminal weighs little until that is taken back', () => {
  if (!existsSync('/proc/self/autogroup')) return; // This kernel does not weigh sessions.
  const argv = ['--input-type=module', '--eval', childOfSession];
  const script = 'cat /proc/self/autogroup; "$@"; cat /proc/self/autogroup';
  const output = execFileSync('setsid', ['--wait', 'sh', '-c', script, 'sh', process.execPath, ...argv], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.equal(output.match(/nice -?\d+/g), ['nice 0', 'nice 19', 'nice 0']);
});

test.run();

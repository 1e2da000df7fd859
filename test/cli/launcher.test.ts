import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('the command starts where cron, or nobody, has set a PATH', () => {
  for (const env of [{}, { PATH: '' }, { PATH: '/usr/bin:/bin' }]) {
    const { status, stderr } = spawnSync('bin/dockerctl', ['--version'], { env, encoding: 'utf8' });
    assert.is(stderr, '');
    assert.is(status, 0);
  }
});

test('SIGUSR1 opens no debugger, and ends nothing', async () => {
  const directory = join(temporaryDirectory(), 'repository');
  const child = spawn('bin/dockerctl', ['backup', 'receive', directory]);
  const said: string[] = [];
  child.stderr.on('data', (text) => void said.push(String(text)));
  while (!existsSync(join(directory, 'index.json'))) await setTimeout(20);
  child.kill('SIGUSR1');
  await setTimeout(300);
  child.stdin.end();
  const [status] = await once(child, 'close');
  assert.equal([status, said.join('')], [0, '']);
});

test.run();

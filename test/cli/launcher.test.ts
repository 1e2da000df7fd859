import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('the command starts where cron, or nobody, has set a PATH', () => {
  for (const env of [{}, { PATH: '' }, { PATH: '/usr/bin:/bin' }]) {
    const { status, stderr } = spawnSync('bin/dockerctl', ['--version'], { env, encoding: 'utf8' });
    assert.is(stderr, '');
    assert.is(status, 0);
  }
});

test.run();

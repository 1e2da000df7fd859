import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { runCli } from '../../../support/cli.ts';
import { startCli } from '../../../support/cli-process.ts';
import { testEngine } from '../../../support/engine.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const { engine } = await testEngine();

test('a restore that is interrupted while it is planned says that nothing was changed', async () => {
  const root = temporaryDirectory();
  const [file, data, asked] = [join(root, 'dockerctl.yaml'), join(root, 'data'), join(root, 'asked')];
  mkdirSync(data);
  writeFileSync(join(data, 'file'), 'saved');
  const common = ['-f', file, '--state-dir', join(root, 'state'), '--host', engine.address];
  const describe = (more: string) => {
    const backup = `{repository: ${root}/repository, signing-key: none, ${more} sources: {data: {paths: [${data}]}}}`;
    writeFileSync(file, `name: host\nservices: {}\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  };
  describe('');
  assert.is((await runCli([...common, 'backup'])).status, exitCodes.done);
  writeFileSync(join(data, 'file'), 'living');
  describe(`refuse-while: [{name: slow, run: [sh, -c, 'touch ${asked}; sleep 30'], matches: busy}],`);
  const child = startCli([...common, 'restore', 'latest', '--yes'], {}, ['ignore', 'ignore', 'pipe']);
  const said = text(child.stderr!);
  const closed = once(child, 'exit');
  while (!existsSync(asked)) await setTimeout(50);
  child.kill('SIGINT');
  assert.equal(await closed, [exitCodes.interrupted, null]);
  assert.is(await said, 'dockerctl: restoring: interrupted; nothing was changed\n');
  assert.is(readFileSync(join(data, 'file'), 'utf8'), 'living');
  assert.equal(readdirSync(data), ['file']);
});

test.run();

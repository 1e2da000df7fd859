import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { runCli } from '../../../support/cli.ts';
import { startCli } from '../../../support/cli-process.ts';
import { testEngine } from '../../../support/engine.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const { engine } = await testEngine();

interface Killed {
  /** A file of which the backup says `saved`, and that says `living`. */
  file: string;
  /** Writes the deployment file anew, with more settings of backups. */
  describe(more?: string): void;
  run(...argv: string[]): ReturnType<typeof runCli>;
}

/** A restore that was killed before it had replaced anything. */
async function killed(): Promise<Killed> {
  const root = temporaryDirectory();
  const [deployment, data, asked] = [join(root, 'dockerctl.yaml'), join(root, 'data'), join(root, 'asked')];
  const file = join(data, 'file');
  const common = ['-f', deployment, '--state-dir', join(root, 'state'), '--host', engine.address];
  const describe = (more = '') => {
    const backup = `{repository: ${root}/repository, signing-key: none, ${more} sources: {data: {paths: [${data}]}}}`;
    writeFileSync(deployment, `name: host\nservices: {}\nx-dockerctl: {backup: ${backup}}\n`, {
      mode: 0o600,
    });
  };
  const run = (...argv: string[]) => runCli([...common, ...argv]);
  mkdirSync(data);
  describe();
  writeFileSync(file, 'saved');
  assert.is((await run('backup')).status, exitCodes.done);
  writeFileSync(file, 'living');
  describe(
    `inventories: {slow: {run: [sh, -c, 'touch ${asked}; sleep 3'], key: id, label: id, advice: wait}},`,
  );
  const child = startCli([...common, 'restore', 'latest', '--yes'], {}, 'ignore');
  const closed = once(child, 'exit');
  while (!existsSync(asked)) await setTimeout(50);
  child.kill('SIGKILL');
  await closed;
  describe();
  return { file, describe, run };
}

test('a killed restore that replaced nothing yet begins over only when the host is not busy', async () => {
  const { file, describe, run } = await killed();
  describe('refuse-while: [{name: it is night, run: [echo, night], matches: night}],');
  const refused = await run('restore', '--resume');
  assert.is(refused.status, exitCodes.busy);
  assert.match(refused.stderr, 'restoring: refused while it is night');
  assert.match((await run('restore', '--status')).stdout, 'UNFINISHED, nothing replaced yet');
  assert.is(readFileSync(file, 'utf8'), 'living');
  describe();
  const resumed = await run('restore', '--resume');
  assert.is(resumed.status, exitCodes.done, resumed.stderr);
  assert.is(readFileSync(file, 'utf8'), 'saved');
});

test.run();

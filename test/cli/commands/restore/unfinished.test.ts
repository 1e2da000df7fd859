import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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
  repository: string;
  /** A file of which the backup says `saved`, and that says `living`. */
  file: string;
  /** Writes the deployment file anew, with more settings of backups. */
  describe(more?: string, name?: string): void;
  run(...argv: string[]): ReturnType<typeof runCli>;
}

/** A restore that was killed before it had replaced anything. */
async function killed(): Promise<Killed> {
  const root = temporaryDirectory();
  const [deployment, data, asked] = [join(root, 'dockerctl.yaml'), join(root, 'data'), join(root, 'asked')];
  const file = join(data, 'file');
  const common = ['-f', deployment, '--state-dir', join(root, 'state'), '--host', engine.address];
  const repository = join(root, 'repository');
  const describe = (more = '', name = 'host') => {
    const backup = `{repository: ${repository}, signing-key: none, ${more} sources: {data: {paths: [${data}]}}}`;
    writeFileSync(deployment, `name: ${name}\nservices: {}\nx-dockerctl: {backup: ${backup}}\n`, {
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
  return { repository, file, describe, run };
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

test('where the disk with the backups is elsewhere now, it goes on from there', async () => {
  const { repository, file, run } = await killed();
  renameSync(repository, `${repository}-moved`);
  assert.is((await run('restore', '--resume')).status, exitCodes.notFound);
  const resumed = await run('restore', '--resume', '-r', `${repository}-moved`);
  assert.is(resumed.status, exitCodes.done, resumed.stderr);
  assert.is(readFileSync(file, 'utf8'), 'saved');
});

test('with the file of another deployment it is neither finished nor taken back: its services would be meant', async () => {
  const { file, describe, run } = await killed();
  describe('', 'another');
  for (const way of ['--resume', '--rollback']) {
    const { status, stderr } = await run('restore', way, '--yes');
    assert.is(status, exitCodes.usage);
    assert.match(
      stderr,
      /^dockerctl: restoring: the restore \w+ begun .* is of the deployment host, and the deployment file of another\n {2}Name its own with --file\n$/,
    );
  }
  describe();
  assert.is((await run('restore', '--rollback', '--yes')).status, exitCodes.done);
  assert.is(readFileSync(file, 'utf8'), 'living');
});

test.run();

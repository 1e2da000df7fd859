import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { runCli } from '../../../support/cli.ts';
import { startCli } from '../../../support/cli-process.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const repository = join(root, 'repository');
const files = join(root, 'files');
const large = join(files, 'large');

test.before(async () => {
  mkdirSync(files);
  writeFileSync(large, randomBytes(5_000_000));
  for (let i = 0; i < 5000; i++) writeFileSync(join(files, `${i}-${'long'.repeat(50)}`), '');
  const file = join(root, 'dockerctl.yaml');
  const backup = `{repository: ${repository}, signing-key: none, sources: {files: {paths: [${files}]}}}`;
  writeFileSync(file, `name: host\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  const { status, stderr } = await runCli(['-f', file, '--state-dir', join(root, 'state'), 'backup']);
  assert.is(status, 0, stderr);
});

for (const argv of [
  ['cat', 'latest', large],
  ['ls', 'latest'],
  ['ls', 'latest', '--json'],
]) {
  test(`backup ${argv.join(' ')} ends at once when it is asked to, though nobody reads on`, async () => {
    const environment = { DOCKERCTL_STATE_DIR: join(root, 'state') };
    const child = startCli(['backup', ...argv, '-r', repository], environment, ['ignore', 'pipe', 'pipe']);
    const said = text(child.stderr!);
    await once(child.stdout!, 'readable');
    const closed = once(child, 'exit');
    child.kill('SIGINT');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const [status] = await closed;
    clearTimeout(late);
    child.stdout!.destroy();
    assert.is(status, exitCodes.interrupted, await said);
    assert.match(await said, /^(dockerctl: interrupted|\{"error":\{"name":"InterruptedError".*\})\n$/);
  });
}

for (const argv of [
  ['import', '-', '-r', join(root, 'taken-in')],
  ['receive', join(root, 'received')],
  ['ls', 'latest', '-r', repository, '--identity', '-'],
]) {
  test(`backup ${argv[0]} ends when it is asked to, though nothing comes on standard input`, async () => {
    const environment = { DOCKERCTL_STATE_DIR: join(root, 'state') };
    const child = startCli(['backup', ...argv], environment, ['pipe', 'ignore', 'pipe']);
    const said = text(child.stderr!);
    const closed = once(child, 'exit');
    await delay(1500);
    child.kill('SIGINT');
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    const [status] = await closed;
    clearTimeout(late);
    child.stdin!.destroy();
    assert.is(status, exitCodes.interrupted, await said);
    assert.match(await said, /^dockerctl: .*interrupted\n$/);
  });
}

test.run();

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encryptBytes } from '../../../../src/repository/age/encrypt.ts';
import { decodeRecipient } from '../../../../src/repository/age/keys.ts';
import { runCli } from '../../../support/cli.ts';
import { needProgram } from '../../../support/debian-program.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

function deploymentFile(): string {
  const directory = join(temporaryDirectory(), 'etc');
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'shop.yaml');
  const sources = 'sources: {config: {paths: [/etc/shop]}}';
  writeFileSync(file, `name: shop\nx-dockerctl:\n  backup:\n    repository: /r\n    ${sources}\n`);
  return file;
}

test('a new key is printed once, in full, and only its recipient is kept', async () => {
  const file = deploymentFile();
  const { status, stdout, stderr } = await runCli(['-f', file, 'backup', 'key', 'generate']);
  assert.is(status, 0);
  assert.is(stderr, '');
  const recipient = /^# public key: (age1\w+)$/m.exec(stdout)?.[1] ?? '';
  const text = readFileSync(file, 'utf8');
  assert.ok(text.includes(`    recipients: [${recipient}]\n    repository: /r\n`));
  assert.not.ok(text.includes('SECRET'));
});

test('as JSON it is the key, its recipient and when it was made; a dry run names the file alone', async () => {
  const file = deploymentFile();
  const generate = ['-f', file, 'backup', 'key', 'generate', '--json'];
  assert.equal(JSON.parse((await runCli([...generate, '--dry-run'])).stdout), { file });
  const { identity, recipient, created, ...rest } = JSON.parse((await runCli(generate)).stdout);
  assert.match(identity, /^AGE-SECRET-KEY-1/);
  assert.ok(readFileSync(file, 'utf8').includes(recipient));
  assert.ok(Date.parse(created) > 0);
  assert.equal(rest, {});
});

test('what it prints is the identity file with which age opens what was encrypted to the recipient', async () => {
  needProgram('age');
  const file = deploymentFile();
  const { stdout } = await runCli(['-f', file, 'backup', 'key', 'generate']);
  const key = join(temporaryDirectory(), 'key.txt');
  writeFileSync(key, stdout);
  const recipient = /age1\w+/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
  const input = encryptBytes(Buffer.from('rows'), [decodeRecipient(recipient)]);
  assert.is(execFileSync('age', ['-d', '-i', key], { input, encoding: 'utf8' }), 'rows');
});

test('a file that the shell makes for it can be read by its owner alone', () => {
  const file = deploymentFile();
  const key = join(temporaryDirectory(), 'key.txt');
  const stdout = openSync(key, 'w', 0o644);
  execFileSync('bin/dockerctl', ['-f', file, 'backup', 'key', 'generate'], { stdio: ['ignore', stdout, 2] });
  closeSync(stdout);
  assert.match(readFileSync(key, 'utf8'), /^AGE-SECRET-KEY-1/m);
  assert.is(statSync(key).mode & 0o777, 0o600);
});

test('a key that nobody would ever see is not made, so that nothing is encrypted to it', () => {
  const file = deploymentFile();
  const before = readFileSync(file, 'utf8');
  const script = (output: string) => `exec bin/dockerctl -f '${file}' backup key generate ${output}`;
  for (const output of ['>/dev/null', '>&-']) {
    const { status, stderr } = spawnSync('sh', ['-c', script(output)], { encoding: 'utf8' });
    assert.is(status, 2, stderr);
    assert.match(stderr, 'the key would be lost');
    assert.is(readFileSync(file, 'utf8'), before);
  }
});

test('a second key stands beside the first', async () => {
  const file = deploymentFile();
  for (let i = 0; i < 2; i++) await runCli(['-f', file, 'backup', 'key', 'generate', '--json']);
  assert.match(readFileSync(file, 'utf8'), /recipients: \[age1\w+, age1\w+\]/);
});

test('--dry-run makes no key and changes nothing', async () => {
  const file = deploymentFile();
  const before = readFileSync(file, 'utf8');
  const { status, stdout } = await runCli(['-f', file, 'backup', 'key', 'generate', '--dry-run']);
  assert.is(status, 0);
  assert.not.match(stdout, /SECRET/);
  assert.is(readFileSync(file, 'utf8'), before);
});

test('without a deployment file there is no key', async () => {
  const { status, stdout } = await runCli(['-f', '/nowhere.yaml', 'backup', 'key', 'generate']);
  assert.is(status, 10);
  assert.is(stdout, '');
});

test.run();

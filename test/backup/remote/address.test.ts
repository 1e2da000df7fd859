import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isRemote, parseRemoteAddress, renderRemoteAddress } from '../../../src/backup/remote/address.ts';
import { sshByHand, sshCommand } from '../../../src/backup/remote/ssh.ts';
import { UsageError } from '../../../src/support/errors.ts';

test('another host is told from a directory as scp does it', () => {
  for (const text of ['vault:/b', 'me@vault:/b', 'ssh://vault/b', '[::1]:/b'])
    assert.ok(isRemote(text), text);
  for (const text of ['/b', './a:b', 'dir/a:b', 'dir']) assert.not.ok(isRemote(text), text);
});

test('every way to write an address is read', () => {
  const none = { user: undefined, port: undefined };
  assert.equal(parseRemoteAddress('vault:/srv/b'), { ...none, host: 'vault', path: '/srv/b' });
  assert.equal(parseRemoteAddress('me@10.0.0.1:/b'), { ...none, user: 'me', host: '10.0.0.1', path: '/b' });
  assert.equal(parseRemoteAddress('[fe80::1%eth0]:/b'), { ...none, host: 'fe80::1%eth0', path: '/b' });
  const url = parseRemoteAddress('ssh://me@vault.example:2222/srv/b');
  assert.equal(url, { user: 'me', host: 'vault.example', port: 2222, path: '/srv/b' });
});

test('an address is shown as it can be typed again', () => {
  for (const text of ['vault:/srv/b', 'me@10.0.0.1:/b', 'me@[fe80::1%eth0]:/b'])
    assert.is(renderRemoteAddress(parseRemoteAddress(text)), text);
});

test('nothing that could be an option, a command or a relative path is an address', () => {
  for (const text of [
    '-oProxyCommand=evil:/b',
    'me@-oProxyCommand=evil:/b',
    '-me@vault:/b',
    'ssh://-oProxyCommand=evil/b',
    'vault:b',
    'vault:',
    'vault:-b',
    ':/b',
    'a b:/b',
    '$(evil):/b',
    'vault:/b\nevil',
    'ssh://vault:99999/b',
    'me@@vault:/b',
  ]) {
    assert.throws(
      () => parseRemoteAddress(text),
      (error: unknown) => error instanceof UsageError,
      text,
    );
  }
});

test('a path reaches the other host as it is, whatever its shell would make of it', () => {
  for (const path of [
    '/plain',
    "/it's here",
    '/a b',
    '/$(id)',
    '/`id`',
    '/a;b&&c|d>e',
    '/*',
    '/"x"',
    '/\\',
  ]) {
    const command = sshCommand(parseRemoteAddress(`me@vault:${path}`), ['printf', '%s', path]);
    assert.equal(command.slice(-5, -1), ['-l', 'me', '--', 'vault']);
    const { stdout } = spawnSync('sh', ['-c', command.at(-1)!], { encoding: 'utf8' });
    assert.is(stdout, path);
  }
});

test('what the operator may try by hand names the same user, host and port', () => {
  const by = (text: string) => sshByHand(parseRemoteAddress(text), 'dockerctl --version');
  assert.is(by('vault:/b'), 'ssh vault dockerctl --version');
  assert.is(by('ssh://me@vault:2222/b'), 'ssh -p 2222 me@vault dockerctl --version');
});

test.run();

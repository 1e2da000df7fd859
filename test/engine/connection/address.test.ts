import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../../src/engine/connection/address.ts';
import { sshArguments } from '../../../src/engine/connection/ssh.ts';
import { UsageError } from '../../../src/support/errors.ts';

test('without an address the default socket is meant', () => {
  assert.equal(parseAddress(undefined, false), { kind: 'unix', path: '/var/run/docker.sock' });
  assert.equal(parseAddress('', true), { kind: 'unix', path: '/var/run/docker.sock' });
});

test('a tcp address has the port of its security unless it names one', () => {
  assert.equal(parseAddress('tcp://10.0.0.1', false), { kind: 'tcp', host: '10.0.0.1', port: 2375 });
  assert.equal(parseAddress('tcp://10.0.0.1', true), { kind: 'tcp', host: '10.0.0.1', port: 2376 });
  assert.equal(parseAddress('tcp://[::1]:99', true), { kind: 'tcp', host: '::1', port: 99 });
});

test('an ssh address may name user, port and socket', () => {
  const address = parseAddress('ssh://admin@fuel.example:2222/run/docker.sock', false);
  const expected = {
    kind: 'ssh',
    user: 'admin',
    host: 'fuel.example',
    port: 2222,
    socket: '/run/docker.sock',
  };
  assert.equal(address, expected);
});

test('what is no address is refused', () => {
  const wrong = [
    'docker.sock',
    'http://x',
    'tcp://',
    'tcp://h/path',
    'ssh://',
    'ssh://-oProxyCommand=x',
    'ssh://h/;reboot',
  ];
  for (const text of wrong) {
    assert.throws(
      () => parseAddress(text, false),
      (error: unknown) => error instanceof UsageError,
      text,
    );
  }
});

test('ssh is never told to trust a host whose key is not known', () => {
  const args = sshArguments({ kind: 'ssh', user: 'u', host: 'h', port: 22, socket: '/s' });
  assert.ok(args.includes('StrictHostKeyChecking=yes'));
  assert.equal(args.slice(args.indexOf('--')), [
    '--',
    'h',
    'docker',
    '--host',
    'unix:///s',
    'system',
    'dial-stdio',
  ]);
});

test.run();

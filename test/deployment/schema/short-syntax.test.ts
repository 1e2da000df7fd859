import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMount } from '../../../src/deployment/schema/mounts.ts';
import { parsePorts } from '../../../src/deployment/schema/ports.ts';
import { splitWords } from '../../../src/deployment/schema/words.ts';

const tcp = { protocol: 'tcp' as const };

test('every form of a published port is understood', () => {
  assert.equal(parsePorts('80'), [{ container: 80, ...tcp }]);
  assert.equal(parsePorts('8080:80'), [{ container: 80, ...tcp, host: 8080 }]);
  assert.equal(parsePorts('127.0.0.1:53:5353/udp'), [
    { container: 5353, protocol: 'udp', host: 53, hostAddress: '127.0.0.1' },
  ]);
  assert.equal(parsePorts('127.0.0.1::80'), [{ container: 80, ...tcp, hostAddress: '127.0.0.1' }]);
  assert.equal(parsePorts('[::1]:8080:80'), [{ container: 80, ...tcp, host: 8080, hostAddress: '::1' }]);
  assert.equal(parsePorts('6000-6001:7000-7001'), [
    { container: 7000, ...tcp, host: 6000 },
    { container: 7001, ...tcp, host: 6001 },
  ]);
});

for (const text of [
  '',
  'x',
  '0',
  '70000',
  '1:2:3',
  '8080:',
  '6000-6002:7000',
  '90-80',
  '80/sctp',
  '127.0.0.1:80',
]) {
  test(`${JSON.stringify(text)} is no published port`, () => {
    assert.is(parsePorts(text), undefined);
  });
}

test('every form of a mount is understood', () => {
  const bind = { type: 'bind', readOnly: false, createHostPath: true };
  assert.equal(parseMount('/a:/b'), { ...bind, source: '/a', target: '/b' });
  assert.equal(parseMount('./a:/b:ro'), { ...bind, source: './a', target: '/b', readOnly: true });
  assert.equal(parseMount('~/a:/b:rw'), { ...bind, source: '~/a', target: '/b' });
  assert.equal(parseMount('data:/b'), { type: 'volume', source: 'data', target: '/b', readOnly: false });
  assert.equal(parseMount('/b'), { type: 'volume', source: '', target: '/b', readOnly: false });
});

for (const text of ['', 'data', '/a:b', '/a:/b:z', '/a:/b:ro:x', ':/b', '/a:']) {
  test(`${JSON.stringify(text)} is no mount`, () => {
    assert.type(parseMount(text), 'string');
  });
}

test('a command line is split as a shell would, and nothing in it is expanded', () => {
  assert.equal(splitWords('nginx -g "daemon off;"'), ['nginx', '-g', 'daemon off;']);
  assert.equal(splitWords(` a\\ b 'c "d" $e' "f \\"g\\" \\x"h `), ['a b', 'c "d" $e', 'f "g" \\xh']);
  assert.equal(splitWords(`''`), ['']);
  assert.equal(splitWords('  '), []);
  assert.is(splitWords(`a 'b`), undefined);
  assert.is(splitWords('a "b'), undefined);
});

test.run();

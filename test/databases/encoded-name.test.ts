import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodedName, encodedName } from '../../src/databases/encoded-name.ts';

test('letters, digits and what is said to be plain stand for themselves', () => {
  assert.is(encodedName('Shop_2026-11', '_-'), 'Shop_2026-11');
  assert.is(encodedName('shop.db', '_-'), 'shop%2Edb');
  assert.is(encodedName('shop.db', '._-'), 'shop.db');
});

test('everything else is encoded byte by byte, and can be decoded', () => {
  assert.is(encodedName('a/b%é\n', '_-'), 'a%2Fb%25%C3%A9%0A');
  for (const name of ['a/b%é\n', '%41', '..', '数据库'])
    assert.is(decodedName(encodedName(name, '_-')), name);
});

test.run();

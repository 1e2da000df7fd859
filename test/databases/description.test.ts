import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDescription, reasonToRefuse } from '../../src/databases/description.ts';
import { only } from '../../src/databases/text.ts';
import { DamagedError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';

function why(product: string, dumped: string, here: string): string | undefined {
  const data = '/data';
  return reasonToRefuse({ product, version: dumped, data }, { product, version: here, data });
}

test('a server may refuse what a newer one was dumped to, and nothing else', () => {
  assert.is(why('MariaDB', '11.4.2', '10.11.6'), 'it is MariaDB 10.11.6, the backup is of the newer 11.4.2');
  assert.is(why('MariaDB', '10.11.6', '10.11.2'), undefined);
  assert.is(why('MariaDB', '10.6.1', '11.4.2'), undefined);
  assert.is(why('MariaDB', '10.11.6', '10.6.1'), 'it is MariaDB 10.6.1, the backup is of the newer 10.11.6');
  const mysql = { product: 'MySQL', version: '9.7.0', data: '/data' };
  assert.is(
    reasonToRefuse(mysql, { ...mysql, product: 'MariaDB', version: '11.4.2' }),
    'it is MariaDB 11.4.2, the backup is of MySQL',
  );
});

test('a minor version of PostgreSQL changes no format; before 10 it has two numbers', () => {
  assert.is(why('PostgreSQL', '15.18 (Debian 15.18-0)', '15.3'), undefined);
  assert.is(why('PostgreSQL', '17.2', '15.3'), 'it is PostgreSQL 15.3, the backup is of the newer 17.2');
  assert.is(
    why('PostgreSQL', '9.6.24', '9.5.2'),
    'it is PostgreSQL 9.5.2, the backup is of the newer 9.6.24',
  );
});

test('what does not describe a server is damage', async () => {
  const whole = { product: 'Redis', version: '7.0', data: '/data' };
  assert.equal(await readDescription(only(JSON.stringify({ ...whole, more: 1 }))), whole);
  const lacking = Object.keys(whole).map((key) => ({ ...whole, [key]: undefined }));
  for (const said of [{}, { ...whole, data: 'data' }, { ...whole, version: 7 }, ...lacking])
    await rejects(() => readDescription(only(JSON.stringify(said))), DamagedError);
  await rejects(() => readDescription(only('{"product":')), DamagedError);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonToRefuse } from '../../src/databases/description.ts';

function why(product: string, dumped: string, here: string): string | undefined {
  const data = '/data';
  return reasonToRefuse({ product, version: dumped, data }, { product, version: here, data });
}

test('a server may refuse what a newer one was dumped to, and nothing else', () => {
  assert.is(why('MariaDB', '11.4.2', '10.11.6'), 'it is MariaDB 10.11.6, the backup is of the newer 11.4.2');
  assert.is(why('MariaDB', '10.11.6', '10.11.2'), undefined);
  assert.is(why('MariaDB', '10.6.1', '11.4.2'), undefined);
});

test('a minor version of PostgreSQL changes no format; before 10 it has two numbers', () => {
  assert.is(why('PostgreSQL', '15.18 (Debian 15.18-0)', '15.3'), undefined);
  assert.is(why('PostgreSQL', '17.2', '15.3'), 'it is PostgreSQL 15.3, the backup is of the newer 17.2');
  assert.is(
    why('PostgreSQL', '9.6.24', '9.5.2'),
    'it is PostgreSQL 9.5.2, the backup is of the newer 9.6.24',
  );
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { joinRows, type RowCounts } from '../../../src/databases/mysql/rows.ts';

async function join(script: string, pieceLength = 7): Promise<{ joined: string; counts: RowCounts }> {
  const counts: RowCounts = { tables: new Map(), rows: new Map() };
  const bytes = Buffer.from(script);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceLength) yield bytes.subarray(at, at + pieceLength);
  }
  const joined = await Array.fromAsync(joinRows(pieces(), counts));
  return { joined: Buffer.concat(joined).toString(), counts };
}

test('rows of one table become one statement, in any cut of the script', async () => {
  const script = [
    'USE `a``b`;',
    'CREATE TABLE `x` (',
    "INSERT INTO `x` VALUES (1,'a\\nb');",
    "INSERT INTO `x` VALUES (2,') VALUES (');",
    'INSERT INTO `y` (`a`, row_start) VALUES (3);',
    'INSERT INTO `y` (`a`, row_start) VALUES (4);',
    'UNLOCK TABLES;',
    'INSERT INTO `y` VALUES (5);',
    '',
  ].join('\n');
  for (const length of [1, 2, 5, 60, 10_000]) {
    const { joined, counts } = await join(script, length);
    assert.is(
      joined,
      [
        'USE `a``b`;',
        'CREATE TABLE `x` (',
        "INSERT INTO `x` VALUES (1,'a\\nb'),(2,') VALUES (');",
        'INSERT INTO `y` (`a`, row_start) VALUES (3),(4);',
        'UNLOCK TABLES;',
        'INSERT INTO `y` VALUES (5);',
        '',
      ].join('\n'),
    );
    assert.equal(
      [...counts.rows, ...counts.tables],
      [
        ['a`b', 5],
        ['a`b', 1],
      ],
    );
  }
});

test('a name that looks like the rest of the statement does not mislead', async () => {
  const odd = 'INSERT INTO `x`` VALUES (` VALUES (1);\nINSERT INTO `x`` VALUES (` VALUES (2);\n';
  assert.is((await join(odd)).joined, 'INSERT INTO `x`` VALUES (` VALUES (1),(2);\n');
});

test('what a procedure says stays as it is', async () => {
  const script =
    'DELIMITER ;;\nINSERT INTO `x` VALUES (1);\nINSERT INTO `x` VALUES (2);\nend ;;\nDELIMITER ;\n';
  assert.is((await join(script)).joined, script);
});

test('a statement stays small enough for a server, however many rows there are', async () => {
  const row = `INSERT INTO \`x\` VALUES ('${'z'.repeat(100_000)}');\n`;
  const { joined } = await join(row.repeat(20), 65_536);
  const lines = joined.split('\n').slice(0, -1);
  assert.ok(lines.length >= 4 && lines.every((line) => line.length < 700_000), String(lines.length));
  assert.is(joined.match(/zz'/g)?.length, 20);
});

test.run();

import { PassThrough } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { printable, renderFittedTable, renderTable, widthOf } from '../../../src/cli/render/table.ts';
import { fromEscapedText, toText } from '../../../src/support/posix/byte-path.ts';

const header = ['ID', 'HOST', 'SOURCES', 'SIZE'];
const rows = [
  ['a1', 'master', 'config database', '1 B'],
  ['b2', 'master', 'config database', '20 KiB'],
];
const optional = ['SOURCES', 'HOST'];

test('a table that fits is left as it is', () => {
  const table = renderTable(header, rows);
  const width = Math.max(...table.split('\n').map((line) => line.length));
  assert.is(renderFittedTable(header, rows, { width, optional }), table);
  assert.is(renderFittedTable(header, rows, { width: Number.POSITIVE_INFINITY, optional }), table);
});

test('where it does not fit, what every row says alike is told once, and no more of it than need be', () => {
  assert.is(
    renderFittedTable(header, rows, { width: 20, optional }),
    'SOURCES: config database\nID  HOST    SIZE\na1  master  1 B\nb2  master  20 KiB',
  );
  assert.is(
    renderFittedTable(header, rows, { width: 12, optional }),
    'SOURCES: config database\nHOST: master\nID  SIZE\na1  1 B\nb2  20 KiB',
  );
});

test('what differs from row to row stays, however narrow the terminal is', () => {
  const mixed = [...rows, ['c3', 'slave', 'config', '3 B']];
  assert.is(renderFittedTable(header, mixed, { width: 5, optional }), renderTable(header, mixed));
});

test('only a terminal has a width', () => {
  const stream = Object.assign(new PassThrough(), { columns: 80 });
  assert.is(widthOf(stream), Number.POSITIVE_INFINITY);
  assert.is(widthOf(Object.assign(stream, { isTTY: true as const })), 80);
});

test('a table is as wide as its widest cells', () => {
  assert.is(renderTable(['NAME', 'STATE'], [['postgres', 'up']]), 'NAME      STATE\npostgres  up');
});

test('a foreign name cannot send control characters to the terminal', () => {
  assert.is(printable('a\u001b[2Jb'), 'a\\x1b[2Jb');
  const odd = 'a\u009b31m\u202egnp.exe\u2028ü\u007f';
  assert.is(printable(odd), String.raw`a\xc2\x9b31m\xe2\x80\xaegnp.exe\xe2\x80\xa8ü\x7f`);
  assert.is(toText(fromEscapedText(printable(odd))), odd);
});

test.run();

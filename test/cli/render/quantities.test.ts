import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatBytes, formatDuration } from '../../../src/cli/render/quantities.ts';
import { printable, renderTable } from '../../../src/cli/render/table.ts';
import { fromEscapedText, toText } from '../../../src/support/posix/byte-path.ts';

test('bytes keep one digit below a hundred and change unit at 1024', () => {
  assert.equal([0, 1023, 1024, 1536, 104857600, 5 * 1024 ** 4].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '100 MiB',
    '5.0 TiB',
  ]);
});

test('durations read as an operator says them', () => {
  assert.equal([0.44, 12.3, 185, 7800].map(formatDuration), ['0.4 s', '12 s', '3 min 5 s', '2 h 10 min']);
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

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from './record.ts';

const hex = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '\\x$&');

test('a number that is used again while closing it still goes on is that of the new file', () => {
  const open = (thread: number, path: string) =>
    `${thread} openat(AT_FDCWD, "${hex(path)}", O_WRONLY|O_CREAT, 0600) = 5`;
  const log = [
    open(1, '/disk/a'),
    '1 close(5 <unfinished ...>',
    open(2, '/disk/b'),
    '1 <... close resumed>)  = 0',
    `2 write(5, "${hex('content')}", 7 <unfinished ...>`,
    `1 write(9, "${hex('else')}", 4) = 4`,
    '2 <... write resumed>) = 7',
    '2 fsync(5) = 0',
    '2 close(5) = 0',
  ];
  assert.equal(
    parse(log.join('\n'), '/disk').map(({ call }) => call),
    ['open', 'close', 'open', 'write', 'sync', 'close'],
  );
});

test.run();

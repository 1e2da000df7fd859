import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDeviceAt, makeFifoAt } from '../../src/support/posix/make-node.ts';
import { currentDirectory } from '../../src/support/posix/stat.ts';
import { setXattr } from '../../src/support/posix/xattrs.ts';

/** Fills `directory` with one file of every kind that is hard to keep. Needs root. */
export function makeOddTree(directory: string): void {
  mkdirSync(join(directory, 'sub', 'deep'), { recursive: true });
  writeFileSync(join(directory, 'empty'), '');
  writeFileSync(join(directory, 'text'), 'hello\n'.repeat(1000));
  writeFileSync(join(directory, 'sub', 'random'), randomBytes(2_500_000));
  for (const name of [
    'odd-\xff',
    '\xe9\n',
    'it\'s "quoted" $HOME `x` \\',
    ' -rf',
    'new\nline\n',
    'gr\xc3\xbc\xc3\x9fe',
  ]) {
    writeFileSync(Buffer.from(`${directory}/sub/${name}`, 'latin1'), `content of ${name}`);
  }
  linkSync(join(directory, 'text'), join(directory, 'sub', 'second name'));
  symlinkSync('../text', join(directory, 'sub', 'link'));
  symlinkSync(Buffer.from('nowhere-\xfe\n', 'latin1'), join(directory, 'dangling'));
  makeSparse(join(directory, 'sparse'));
  writeFileSync(join(directory, 'setuid'), '#!/bin/true');
  chownSync(join(directory, 'setuid'), 1234, 5678);
  chmodSync(join(directory, 'setuid'), 0o4750);
  makeFifoAt(currentDirectory, join(directory, 'fifo'), 0o640);
  makeDeviceAt(currentDirectory, join(directory, 'device'), 'character', 0o600, { major: 1, minor: 3 });
  for (const name of ['fifo', 'device', 'dangling'])
    linkSync(join(directory, name), join(directory, 'sub', `${name} again`));
  setXattr(join(directory, 'text'), 'user.note', Buffer.from('kept\xff', 'latin1'));
  setXattr(join(directory, 'text'), 'user.nothing', new Uint8Array());
  chmodSync(join(directory, 'sub', 'deep'), 0o500);
  for (const name of ['text', 'sub', 'dangling', 'fifo']) {
    execFileSync('touch', ['-h', '-d', '@1234567890.123456789', join(directory, name)]);
  }
}

/** Data, a hole, data, and a hole at the end. */
function makeSparse(path: string): void {
  writeFileSync(path, 'begin');
  truncateSync(path, 3_000_000);
  writeFileSync(path, 'middle', { flag: 'a' });
  truncateSync(path, 8_000_000);
}

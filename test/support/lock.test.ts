import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LockedError } from '../../src/support/errors.ts';
import { acquireLock } from '../../src/support/lock.ts';
import { formatMoment } from '../../src/support/quantities.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const directory = temporaryDirectory();
const now = new Date('2026-01-02T03:04:05Z');

test('a second exclusive lock is refused, naming who holds the first', () => {
  const path = join(directory, 'exclusive');
  const lock = acquireLock(path, { mode: 'exclusive', purpose: 'backup', now });
  try {
    acquireLock(path, { mode: 'exclusive', purpose: 'prune', now });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, LockedError);
    assert.is(
      (error as Error).message,
      `locking ${path}: held by backup (pid ${process.pid}) since ${formatMoment(now)}`,
    );
  }
  lock.release();
  acquireLock(path, { mode: 'exclusive', purpose: 'prune', now }).release();
});

test('readers share, and keep a writer out until the last has left', () => {
  const path = join(directory, 'shared');
  const first = acquireLock(path, { mode: 'shared', purpose: 'verify', now });
  const second = acquireLock(path, { mode: 'shared', purpose: 'restore', now });
  first.release();
  first.release();
  assert.throws(
    () => acquireLock(path, { mode: 'exclusive', purpose: 'backup', now }),
    (error: Error) => error instanceof LockedError,
  );
  second.release();
  acquireLock(path, { mode: 'exclusive', purpose: 'backup', now }).release();
});

test('it is free once it is released, though a program that was started meanwhile has inherited the file', async () => {
  const path = join(directory, 'inherited');
  const lock = acquireLock(path, { mode: 'exclusive', purpose: 'backup', now });
  const file = readdirSync('/proc/self/fd').find((name) => linkOf(`/proc/self/fd/${name}`) === path);
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', Number(file)] });
  await once(child, 'spawn');
  try {
    lock.release();
    acquireLock(path, { mode: 'exclusive', purpose: 'prune', now }).release();
  } finally {
    child.kill();
  }
  await once(child, 'close');
});

test('one whose file is gone under it is released without a word: the work that it guarded is over', () => {
  const path = join(directory, 'gone');
  const lock = acquireLock(path, { mode: 'exclusive', purpose: 'backup', now });
  const file = readdirSync('/proc/self/fd').find((name) => linkOf(`/proc/self/fd/${name}`) === path);
  closeSync(Number(file));
  lock.release();
  acquireLock(path, { mode: 'exclusive', purpose: 'prune', now }).release();
});

/** `undefined` for what was closed since it was listed. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

test('the lock file is private', () => {
  const path = join(directory, 'private');
  acquireLock(path, { mode: 'exclusive', purpose: 'backup', now }).release();
  assert.is(statSync(path).mode & 0o777, 0o600);
});

test('a lock dies with its process, even killed', async () => {
  const path = join(directory, 'killed');
  const holder = spawn(
    process.execPath,
    [
      '-e',
      `const { acquireLock } = await import('./src/support/lock.ts');
       acquireLock(process.argv[1], { mode: 'exclusive', purpose: 'backup', now: new Date() });
       console.log('locked');
       setInterval(() => {}, 1000);`,
      path,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  assert.throws(
    () => acquireLock(path, { mode: 'exclusive', purpose: 'prune', now }),
    (error: Error) => error instanceof LockedError && error.message.includes(`(pid ${holder.pid})`),
  );
  holder.kill('SIGKILL');
  await once(holder, 'close');
  acquireLock(path, { mode: 'exclusive', purpose: 'prune', now }).release();
});

test.run();

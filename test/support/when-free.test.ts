import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LockedError } from '../../src/support/errors.ts';
import { acquireLock, type Lock } from '../../src/support/lock.ts';
import { whenFree } from '../../src/support/when-free.ts';
import { rejects } from './rejects.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const path = `${temporaryDirectory()}/lock`;
const never = new AbortController().signal;
const lock = (): Lock => acquireLock(path, { mode: 'exclusive', purpose: 'a test', now: new Date() });

test('what needs a lock is done when it is free, and who held it is told once', async () => {
  const held = lock();
  setTimeout(() => held.release(), 1500);
  const told: string[] = [];
  const onWait = ({ message }: Error) => void told.push(message);
  (await whenFree(async () => lock(), never, { patience: 600, onWait })).release();
  assert.is(told.length, 1);
  assert.match(told[0]!, 'held by a test');
});

test('patience ends, and so does a wait that is interrupted', async () => {
  const held = lock();
  await rejects(() => whenFree(async () => lock(), never, { patience: 0 }), LockedError);
  const interruption = new Error('interrupted');
  const stopping = new AbortController();
  const begun = performance.now();
  setTimeout(() => stopping.abort(interruption), 100);
  const ended = await whenFree(async () => lock(), stopping.signal, { patience: 600 }).catch(
    (error: unknown) => error,
  );
  assert.is(ended, interruption);
  assert.ok(performance.now() - begun < 900);
  held.release();
});

test.run();

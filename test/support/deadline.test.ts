import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { endingWith, within } from '../../src/support/deadline.ts';
import { FailedError, InterruptedError } from '../../src/support/errors.ts';
import { rejects } from './rejects.ts';

const never = new Promise<never>(() => {});

test('work that ends in time is what it comes to', async () => {
  const { signal } = new AbortController();
  assert.is(await within(60, Promise.resolve('done'), () => new FailedError('late')), 'done');
  assert.is(await endingWith(signal, 60, Promise.resolve('done')), 'done');
  await rejects(() => endingWith(signal, 60, Promise.reject(new FailedError('failed'))), FailedError);
});

test('work that never answers is not waited for', async () => {
  await rejects(() => within(0.01, never, () => new FailedError('late')), FailedError);
});

test('nor is it once everything is to end, but what puts itself in order is', async () => {
  const controller = new AbortController();
  const orderly = new Promise((resolve) =>
    controller.signal.addEventListener('abort', () => resolve('in order')),
  );
  const waiting = [endingWith(controller.signal, 60, orderly), endingWith(controller.signal, 0.01, never)];
  controller.abort(new InterruptedError('interrupted'));
  assert.is(await waiting[0], 'in order');
  await rejects(() => waiting[1]!, InterruptedError);
  await rejects(() => endingWith(controller.signal, 0.01, never), InterruptedError);
});

test.run();

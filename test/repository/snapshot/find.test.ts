import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findSnapshot } from '../../../src/repository/snapshot/find.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { NotFoundError } from '../../../src/support/errors.ts';

const made = (id: string, deployment: string, host: string, complete = true) =>
  ({ id: `sha256:${id}`, deployment, host, complete }) as Snapshot;

const shared = [
  made('aa', 'shop', 'here'),
  made('bb', 'shop', 'here', false),
  made('cc', 'shop', 'there'),
  made('dd', 'mail', 'here'),
];

const latest = (deployment: string, host: string) =>
  findSnapshot(shared, 'latest', '/repository', { deployment, host }).id;

test('in a repository that several share, latest is the newest complete one of this deployment on this host', () => {
  assert.is(latest('shop', 'here'), 'sha256:aa');
  assert.is(latest('shop', 'there'), 'sha256:cc');
  assert.is(latest('mail', 'here'), 'sha256:dd');
  assert.is(findSnapshot(shared, 'latest', '/repository').id, 'sha256:dd');
});

test('a host that has none takes the newest of its deployment, and never that of another one', () => {
  assert.is(latest('shop', 'anew'), 'sha256:cc');
  assert.is(latest('mail', 'anew'), 'sha256:dd');
  assert.throws(
    () => latest('till', 'here'),
    (error: Error) =>
      error instanceof NotFoundError &&
      error.message === 'looking for snapshot latest in /repository: there is no complete one of till',
  );
});

test.run();

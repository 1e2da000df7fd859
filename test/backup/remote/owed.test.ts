import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { beginDelivery } from '../../../src/backup/remote/owed.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { FailedError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { makeRepository } from '../../repository/carry/exported.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const plain = quietContext(join(root, 'state'));
const { directory, snapshots } = await makeRepository(root, plain);
const [snapshot] = snapshots;
const repository = await openRepository(directory, plain);
test.after(() => repository.close());

const origin = { deployment: 'shop', host: 'here' };

/** A directory in the place of what was promised tells nothing, and cannot be replaced. */
function spoil(stateDir: string): string {
  const file = join(stateDir, 'backup', 'shop', 'deliveries.json');
  rmSync(file, { force: true, recursive: true });
  mkdirSync(join(file, 'in the way'), { recursive: true });
  return file;
}

function watched(name: string) {
  const warnings: string[] = [];
  const stateDir = join(root, name);
  const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
  return { warnings, context: { ...plain, stateDir, progress } };
}

test('what could not be written down, and does not arrive, is told as what no later backup sends, and once', async () => {
  const { warnings, context } = watched('unwritable');
  const file = spoil(context.stateDir);
  const send = () => Promise.reject(new FailedError('no route'));
  const underWay = await beginDelivery(origin, { to: 'vault:/b', send }, context);
  await rejects(() => underWay.deliver(snapshot!, repository), FailedError);
  assert.is(warnings.length, 1, warnings.join('\n'));
  assert.ok(warnings[0]!.startsWith(`what is owed to vault:/b cannot be kept in mind: writing ${file}: E`));
  assert.match(warnings[0]!, /; what does not arrive now, no later backup sends$/);
});

test('what was written down once is owed, and the next backup sends it', async () => {
  const { warnings, context } = watched('spoilt later');
  const send = () => Promise.reject(new FailedError('no route'));
  const underWay = await beginDelivery(origin, { to: 'vault:/b', send }, context);
  await rejects(() => underWay.deliver(snapshot!, repository), FailedError);
  assert.match(
    warnings.join('\n'),
    /^snapshot [0-9a-f]{12} is here, and owed: the next backup to vault:\/b sends it$/,
  );
});

test('what has arrived and cannot be crossed out is not told as owed', async () => {
  const { warnings, context } = watched('arrived');
  const send = async () => void spoil(context.stateDir);
  const underWay = await beginDelivery(origin, { to: 'vault:/b', send }, context);
  await underWay.deliver(snapshot!, repository);
  assert.match(warnings[0] ?? '', /^what was owed to vault:\/b cannot be crossed out: /);
  assert.not.ok(warnings.some((warning) => warning.includes('kept in mind')));
});

test.run();

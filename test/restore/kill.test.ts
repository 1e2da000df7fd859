import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { prepareRestore } from '../../src/restore/restore.ts';
import { dropKeptData, restoreStatus, resumeRestore, takeBackRestore } from '../../src/restore/unfinished.ts';
import { DamagedError, FailedError, SignatureError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fingerprint } from './fingerprint.ts';
import { contextFor, makeLive, portsFor } from './killed-restore.ts';

const root = temporaryDirectory();
const script = join(import.meta.dirname, 'killed-restore.ts');

/** Kills a restore at its Nth call; `undefined` when it had ended before. */
function killed(
  number: number,
  name = String(number),
): { directory: string; before: Record<string, string> } | undefined {
  const directory = join(root, name);
  mkdirSync(directory);
  makeLive(directory);
  const before = fingerprint(join(directory, 'live'));
  const { signal, status, stderr } = spawnSync(process.execPath, [script, directory, String(number)]);
  if (signal === 'SIGKILL') return { directory, before };
  assert.is(status, 0, String(stderr));
  return undefined;
}

function traces(directory: string): string[] {
  const journals = join(directory, 'state', 'restores');
  const names = readdirSync(join(directory, 'live')).filter((name) => name.startsWith('.dockerctl'));
  return [...names, ...readdirSync(journals).filter((name) => name.endsWith('.json'))];
}

async function takeBack(directory: string): Promise<void> {
  const context = contextFor(directory);
  const [status] = await restoreStatus(context);
  if (status) await takeBackRestore(portsFor(directory).host, context);
}

async function resume(directory: string): Promise<void> {
  const context = contextFor(directory);
  const ports = portsFor(directory);
  const [status] = await restoreStatus(context);
  if (status === undefined || status.phase === 'done') return;
  const request = { snapshot: 'latest', only: [], full: false, to: undefined };
  const error = await prepareRestore(request, ports, context).catch((refusal: Error) => refusal);
  assert.instance(error, FailedError, 'a new restore is refused meanwhile');
  await resumeRestore(async () => ports.repository, ports.host, context);
}

function expectRestored(directory: string): void {
  for (const name of ['a', 'b', 'new/c']) {
    const path = join(directory, 'live', name);
    assert.equal(readdirSync(path), name === 'a' ? ['file', 'old', 'sub'] : ['file', 'sub'], name);
    assert.is(readFileSync(join(path, 'sub/link'), 'utf8'), `${name} restored`);
  }
}

test('killed at any moment, a restore is taken back or finished', async () => {
  let [kills, swaps, number] = [0, 0, 1];
  for (let step = killed(number); step !== undefined; step = killed(number)) {
    kills++;
    const { directory, before } = step;
    const [status] = await restoreStatus(contextFor(directory));
    if (status?.phase === 'swapping') swaps++;
    if (number % 2 === 0) {
      await takeBack(directory);
      assert.equal(fingerprint(join(directory, 'live')), before, `killed at call ${number}`);
    } else if (status !== undefined) {
      await resume(directory);
      expectRestored(directory);
      await dropKeptData(portsFor(directory).host, contextFor(directory));
      expectRestored(directory);
    }
    if (status !== undefined) assert.equal(traces(directory), [], `killed at call ${number}`);
    number += status?.phase === 'swapping' ? 3 : 7;
  }
  assert.ok(kills > 15, `${kills} kills`);
  assert.ok(swaps > 5, `${swaps} of them while swapping`);
});

test('without the key that opens the snapshot, a killed restore stays one that can be resumed', async () => {
  const { directory } = killed(20, 'without-key')!;
  const context = contextFor(directory);
  const { host, repository } = portsFor(directory);
  assert.is((await restoreStatus(context))[0]?.phase, 'staging');
  const sealed = portsFor(directory).repository;
  sealed.entries = () => {
    throw new SignatureError('no private key is at hand');
  };
  await rejects(() => resumeRestore(async () => sealed, host, context), SignatureError);
  assert.is((await restoreStatus(context)).length, 1);
  await resumeRestore(async () => repository, host, context);
  expectRestored(directory);
});

test('when it cannot be done after all, what was staged goes, and it stays one that can be resumed', async () => {
  for (const [i, call] of [20, 60].entries()) {
    const { directory, before } = killed(call, `refused-${i}`)!;
    const context = contextFor(directory);
    const { host, repository } = portsFor(directory);
    const spoilt = portsFor(directory).repository;
    spoilt.lacking = async () => ['blobs/sha256/aa'];
    const [status] = await restoreStatus(context);
    assert.is(status?.phase, 'staging');
    for (let again = 0; again < 2; again++) {
      await rejects(() => resumeRestore(async () => spoilt, host, context), DamagedError);
      assert.equal(fingerprint(join(directory, 'live')), before);
      assert.equal(
        (await restoreStatus(context)).map(({ id }) => id),
        [status!.id],
      );
    }
    if (i === 0) await takeBack(directory);
    else {
      const report = await resumeRestore(async () => repository, host, context);
      assert.is(report.id, status!.id);
      expectRestored(directory);
      await takeBack(directory);
    }
    assert.equal(fingerprint(join(directory, 'live')), before);
    assert.equal(traces(directory), []);
  }
});

test.run();

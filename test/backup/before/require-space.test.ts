import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requireSpace } from '../../../src/backup/before/require-space.ts';
import type { PlannedSource } from '../../../src/backup/plan.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { NoSpaceError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';

const directory = '/backups';
const free = 2 ** 40;
/** More than is free. */
const much = 2 ** 52;

/** A run that stored so many bytes of each source, the n-th of a row. */
function run(n: number, stored: Record<string, number>): Snapshot {
  const bytes = Object.values(stored).reduce((sum, one) => sum + one, 0);
  return {
    id: `sha256:${n}`,
    predecessor: n === 0 ? undefined : `sha256:${n - 1}`,
    added: { bytes, blobs: 1 },
    sources: Object.entries(stored).map(([name, newBytes]) => ({ name, newBytes })),
  } as Partial<Snapshot> as Snapshot;
}

function require(minFree: number, runs: Snapshot[], names = ['files']): Promise<void> {
  const sources = names.map((name) => ({ name }) as PlannedSource);
  return requireSpace({ directory, snapshots: async () => runs }, free, { minFree, sources }, runs.at(-1));
}

test('what was stored last time is told however little it was', async () => {
  const runs = [run(0, { files: 1 }), run(1, { files: 7000 }), run(2, { files: 7000 })];
  const { message } = await rejects(() => require(much, runs), NoSpaceError);
  assert.match(message, '4096 TiB are min-free, 6.8 KiB were stored last time');
});

test('there must be as much room as the last two runs stored at least, and min-free besides', async () => {
  await require(0, []);
  await require(0, [run(0, { files: 1 }), run(1, { files: 1 }), run(2, { files: 1 })]);
  const runs = [run(0, { files: 1 }), run(1, { files: much }), run(2, { files: much + 2 ** 20 })];
  const error = await rejects(() => require(2 ** 30, runs), NoSpaceError);
  assert.match(
    error.message,
    /^backing up to \/backups: 1\.0 TiB free, 4096 TiB wanted \(1\.0 GiB are min-free, 4096 TiB were stored last time\)$/,
  );
  assert.is(
    error.advice,
    'Make room there, with `dockerctl backup prune` for example, or lower min-free in the deployment file',
  );
  assert.is(
    (await rejects(() => require(0, runs), NoSpaceError)).advice,
    'Make room there, with `dockerctl backup prune` for example',
  );
  assert.match((await rejects(() => require(much, []), NoSpaceError)).message, /\(4096 TiB are min-free\)$/);
});

test('a single run that stored much does not keep all others from beginning', async () => {
  await require(0, [run(0, { files: much }), run(1, { files: 1 }), run(2, { files: much })]);
  await require(0, [run(0, { files: much })]);
  await require(0, [run(0, { files: 1 }), run(1, { files: much })]);
  const theOneBeforeIsRemoved = [run(0, { files: 1 }), run(2, { files: much })];
  await require(0, theOneBeforeIsRemoved);
});

test('what sources stored that are left out this time needs no room', async () => {
  const runs = [run(0, {}), run(1, { files: 1, images: much }), run(2, { files: 1, images: much })];
  await require(0, runs);
  await rejects(() => require(0, runs, ['files', 'images']), NoSpaceError);
});

test.run();

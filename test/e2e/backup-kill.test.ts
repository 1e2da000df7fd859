import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openRepository } from '../../src/repository/open.ts';
import { silent } from '../../src/support/progress.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const home = temporaryDirectory();
const data = join(home, 'data');
const repository = join(home, 'repository');
const random = seededRandom(20261122);
const kills = 24;

const context = {
  progress: silent,
  signal: new AbortController().signal,
  now: () => new Date(),
  stateDir: join(home, 'state'),
};

mkdirSync(data);
writeFileSync(
  join(home, 'dockerctl.yaml'),
  `name: killed
x-dockerctl: {backup: {repository: ${repository}, sources: {data: {paths: [${data}]}}}}
`,
  { mode: 0o600 },
);

/** Big files that must be chunked and small ones that are packed together, other ones each time. */
function changeData(): Map<string, Buffer> {
  const written = new Map<string, Buffer>();
  for (let i = 0; i < 2; i++) written.set(`big${Math.floor(random() * 4)}`, randomBytes(6_000_000));
  for (let i = 0; i < 40; i++) written.set(`small${Math.floor(random() * 300)}`, randomBytes(2000));
  for (const [name, bytes] of written) writeFileSync(join(data, name), bytes);
  return written;
}

/** The real command; killed after so many milliseconds unless it ends before. */
async function backup(killAfter?: number): Promise<{ status: number | null; stderr: string; took: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, ['src/cli/bin.ts', '-f', join(home, 'dockerctl.yaml'), 'backup'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DOCKERCTL_STATE_DIR: join(home, 'state'), NODE_NO_WARNINGS: '1' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  if (killAfter !== undefined) await Promise.race([setTimeout(killAfter), ended]);
  if (killAfter !== undefined) child.kill('SIGKILL');
  const [status] = (await ended) as [number | null];
  return { status, stderr, took: performance.now() - started };
}

async function inspect(): Promise<{ ids: string[]; damage: unknown[] }> {
  const opened = await openRepository(repository, context);
  try {
    const { damage } = await opened.verify({ readData: true }, context);
    return { ids: (await opened.snapshots()).map(({ id }) => id), damage };
  } finally {
    await opened.close();
  }
}

test(`a backup killed at any of ${kills} moments leaves every snapshot whole, and the next one needs no hand`, async () => {
  changeData();
  const whole = await backup();
  assert.is(whole.status, 0, whole.stderr);
  let known = (await inspect()).ids;
  let expected = whole.took;
  let killed = 0;
  for (let attempt = 0; killed < kills && attempt < 4 * kills; attempt++) {
    changeData();
    const { status, took } = await backup(expected * (0.3 + 0.8 * random()));
    if (status === null) killed++;
    else expected = took; // It was quicker than expected, on a machine that others use, too.
    const { ids, damage } = await inspect();
    assert.equal(damage, [], `after attempt ${attempt}`);
    assert.equal(ids.slice(0, known.length), known, `after attempt ${attempt}`);
    known = ids;
  }
  assert.is(killed, kills);
  const written = changeData();
  const after = await backup();
  assert.is(after.status, 0, after.stderr);
  assert.is(after.stderr, '');
  await compareWithLatest(written);
});

async function compareWithLatest(written: Map<string, Buffer>): Promise<void> {
  const opened = await openRepository(repository, context);
  const latest = await opened.find('latest');
  let compared = 0;
  for await (const entry of opened.entries(latest, 'data')) {
    const want = written.get(entry.path.split('/').at(-1) ?? '');
    if (want === undefined) continue;
    assert.ok(Buffer.concat(await Array.fromAsync(opened.content(latest, entry))).equals(want), entry.path);
    compared++;
  }
  assert.is(compared, written.size);
  await opened.close();
}

test.run();

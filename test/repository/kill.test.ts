import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecipient, generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { openOrCreateRepository, openRepository } from '../../src/repository/open.ts';
import { random, seed } from '../support/random.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const child = join(import.meta.dirname, '..', 'support', 'save-child.ts');

/** Runs a backup in its own process, and kills it so many milliseconds after it began; what it said. */
async function save(
  name: string,
  keys: readonly Identity[],
  killAfter?: number,
): Promise<{ id?: string; ms: number }> {
  const argv = [child, join(root, name), join(root, `${name}-files`), join(root, `${name}-state`)];
  const started = spawn(process.execPath, [...argv, ...keys.map(encodeRecipient)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  let begun = 0;
  started.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.push(text);
    if (begun > 0) return;
    begun = performance.now();
    if (killAfter !== undefined) setTimeout(killAfter).then(() => started.kill('SIGKILL'));
  });
  await new Promise((resolve) => started.on('close', resolve));
  const id = /sha256:\w+/.exec(said.join(''))?.[0];
  return { ...(id !== undefined && { id }), ms: performance.now() - begun };
}

function change(name: string): void {
  const directory = join(root, `${name}-files`);
  mkdirSync(directory, { recursive: true });
  for (let i = 0; i < 40; i++) {
    writeFileSync(join(directory, `file-${Math.floor(random() * 200)}`), randomBytes(random() * 60_000));
  }
  writeFileSync(join(directory, 'large'), randomBytes(4_000_000));
}

/** A run that was not killed in time says how long they take now, however fast the machine is meanwhile. */
async function killManyTimes(name: string, times: number, keys: readonly Identity[]): Promise<void> {
  const directory = join(root, name);
  const context = quietContext(join(root, `${name}-state`));
  await (await openOrCreateRepository(directory, context)).close();
  change(name);
  const first = await save(name, keys);
  const committed = [first.id!];
  let usual = first.ms;
  let killed = 0;
  for (let i = 0; killed < times; i++) {
    assert.ok(i < 6 * times, `only ${killed} of ${i} were killed in time`);
    change(name);
    const { id, ms } = await save(name, keys, random() * usual * 1.1);
    if (id === undefined) killed++;
    else {
      committed.push(id);
      usual = ms;
    }
    const repository = await openRepository(directory, context, { identities: keys });
    const { damage } = await repository.verify({ readData: true }, context);
    assert.equal(damage, [], `seed ${seed}, kill ${i}`);
    const ids = (await repository.snapshots()).map((snapshot) => snapshot.id);
    for (const each of committed) assert.ok(ids.includes(each), `seed ${seed}, kill ${i}: ${each} is gone`);
    await repository.close();
  }
  const last = await save(name, keys);
  assert.ok(last.id !== undefined, `seed ${seed}: the run after the kills failed`);
  assert.equal(readdirSync(join(directory, 'tmp')), [], 'what dead runs left is swept');
}

test('after kill -9 at any moment old snapshots verify, and the next run needs no hand', async () => {
  await killManyTimes('plain', 12, []);
});

test('so do encrypted ones', async () => {
  await killManyTimes('sealed', 6, [generateIdentity()]);
});

test.run();

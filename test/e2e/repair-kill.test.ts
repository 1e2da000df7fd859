import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { seed } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { killRepairs } from './torture/killed-repairs.ts';

const root = temporaryDirectory();

/** `npm run torture -- kill` does it at greater length. */
async function killSome(name: string, keys: readonly Identity[], kills: number): Promise<void> {
  const home = join(root, name);
  mkdirSync(home);
  const { killed } = await killRepairs({ home, keys, kills, seed });
  assert.ok(killed >= kills);
}

test('a repair killed at any moment spoils nothing that was whole, and run again does what it would have done', async () => {
  await killSome('plain', [], 3);
});

test('so does one of an encrypted repository', async () => {
  await killSome('encrypted', [generateIdentity()], 2);
});

test.run();

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { seed } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { killCommands } from './torture/killed-commands.ts';

const root = temporaryDirectory();

/** `npm run torture -- kill` does it at greater length. */
async function killSome(name: string, keys: readonly Identity[], kills: number): Promise<void> {
  const home = join(root, name);
  mkdirSync(home);
  const { backup, prune, restored } = await killCommands({ home, keys, kills, seed });
  assert.is(backup.killed + prune.killed, kills);
  assert.ok(restored > 0);
}

test('backups and prunes killed at any moment leave every snapshot whole, and the next one needs no hand', async () => {
  await killSome('plain', [], 14);
});

test('so do encrypted ones', async () => {
  await killSome('encrypted', [generateIdentity()], 10);
});

test.run();

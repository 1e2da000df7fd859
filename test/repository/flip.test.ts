import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { flipBytes } from './torture/flip-bytes.ts';

const root = temporaryDirectory();
const kinds = [
  'config',
  'index',
  'index.json',
  'manifest',
  'notes',
  'oci-layout',
  'pack',
  'signature',
  'tree',
];

/** Of every file so many bytes, spread over it; `npm run torture -- flip` takes all of them. */
async function flipSome(name: string, keys: readonly Identity[], perFile: number): Promise<void> {
  mkdirSync(join(root, name));
  const flipped = await flipBytes(join(root, name), keys, (bytes) =>
    Math.max(1, Math.floor(bytes / perFile)),
  );
  assert.equal([...flipped.keys()].sort(), kinds);
}

test('every byte that is flipped is found, in whichever file, and the snapshots and files it spoils are named', async () => {
  await flipSome('plain', [], 25);
});

test('so it is in an encrypted repository, with the key', async () => {
  await flipSome('encrypted', [generateIdentity()], 8);
});

test.run();

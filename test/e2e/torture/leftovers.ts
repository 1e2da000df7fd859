import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isTemporaryName } from '../../../src/support/durable.ts';

/** Files in a repository that a dead command left and nobody will ever read. */
export function leftovers(repository: string): string[] {
  return filesIn(repository).filter((name) => name.startsWith('tmp/') || isTemporaryName(basename(name)));
}

/** Blobs that neither `index.json` nor any manifest names. */
export function unneededBlobs(repository: string): string[] {
  const blobs = filesIn(repository).filter((name) => /^blobs\/sha256\/\w{64}$/.test(name));
  const text = blobs.map((name) => readFileSync(join(repository, name), 'latin1'));
  const manifests = text.filter((each) => each.startsWith('{"schemaVersion"')).join('');
  const index = readFileSync(join(repository, 'index.json'), 'utf8');
  return blobs.filter((name) => !(manifests + index).includes(name.slice(-64)));
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' });
}

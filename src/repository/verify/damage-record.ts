import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf, isDigest } from '../../oci/digest.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';

/**
 * Remembers on this host which blobs of a repository the last check found damaged or missing, so that the next run builds on
 * none of them. A run itself looks only whether a blob is there and as long as it should be. It goes by the directory: of a
 * repository that was copied, the copy may be whole.
 */
export async function recordDamage(
  stateDir: string,
  directory: string,
  damaged: ReadonlySet<Digest>,
): Promise<void> {
  if (damaged.size === 0 && (await readDamage(stateDir, directory)).size === 0) return;
  await makeDirectoryDurably(directoryIn(stateDir));
  await writeFileDurably(recordIn(stateDir, directory), `${JSON.stringify([...damaged])}\n`);
}

/** What the last check found; nothing when there was none. */
export async function readDamage(stateDir: string, directory: string): Promise<Set<Digest>> {
  try {
    const digests: unknown = JSON.parse(await readFile(recordIn(stateDir, directory), 'utf8'));
    return new Set(Array.isArray(digests) ? digests.filter(isDigest) : []);
  } catch {
    return new Set();
  }
}

function directoryIn(stateDir: string): string {
  return join(stateDir, 'damage');
}

function recordIn(stateDir: string, directory: string): string {
  const real = realpathSync(directory);
  return join(directoryIn(stateDir), `${hexOf(digestOf(real)).slice(0, 32)}.json`);
}

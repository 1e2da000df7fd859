import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf, isDigest } from '../../oci/digest.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';
import { readSmallFile } from '../../support/small-file.ts';

/** What a check of a repository found, as this host remembers it. */
export type RecordKind = 'damage' | 'damage-inside' | 'verified';

/**
 * Remembers digests that belong to the repository in a directory. It goes by the directory: of a repository that was
 * copied, the copy may be another.
 */
export async function writeHostRecord(
  kind: RecordKind,
  stateDir: string,
  directory: string,
  digests: Iterable<string>,
): Promise<void> {
  await makeDirectoryDurably(join(stateDir, kind));
  await writeFileDurably(recordIn(kind, stateDir, directory), `${JSON.stringify([...digests])}\n`);
}

/** In bytes: some 900,000 digests. */
const sizeLimit = 64 << 20;

/** What was remembered last; nothing when that cannot be read. */
export async function readHostRecord(
  kind: RecordKind,
  stateDir: string,
  directory: string,
): Promise<Set<Digest>> {
  try {
    const text = readSmallFile(recordIn(kind, stateDir, directory), sizeLimit);
    const digests: unknown = JSON.parse(text.toString());
    return new Set(Array.isArray(digests) ? digests.filter(isDigest) : []);
  } catch {
    return new Set();
  }
}

function recordIn(kind: RecordKind, stateDir: string, directory: string): string {
  return join(stateDir, kind, `${hexOf(digestOf(realpathSync(directory))).slice(0, 32)}.json`);
}

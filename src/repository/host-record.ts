import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf, isDigest } from '../oci/digest.ts';
import { makeDirectoryDurably, writeFileDurably } from '../support/durable.ts';
import { realPlace } from '../support/real-place.ts';
import { readSmallFile } from '../support/small-file.ts';

/** What this host remembers of a repository: what a check found, and of which sealed blobs it must know the content. */
export type RecordKind = 'damage' | 'damage-inside' | 'verified' | 'needed';

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
  return new Set(digestsIn(recordIn(kind, stateDir, directory)));
}

/** The same of all repositories together. */
export async function readEveryHostRecord(kind: RecordKind, stateDir: string): Promise<Set<Digest>> {
  const directory = join(stateDir, kind);
  const names = await readdir(directory).catch(() => []);
  return new Set(names.flatMap((name) => digestsIn(join(directory, name))));
}

function digestsIn(path: string): Digest[] {
  try {
    const digests: unknown = JSON.parse(readSmallFile(path, sizeLimit).toString());
    return Array.isArray(digests) ? digests.filter(isDigest) : [];
  } catch {
    return [];
  }
}

function recordIn(kind: RecordKind, stateDir: string, directory: string): string {
  return join(stateDir, kind, `${hexOf(digestOf(realPlace(directory))).slice(0, 32)}.json`);
}

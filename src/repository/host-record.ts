import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf, isDigest } from '../oci/digest.ts';
import { makeDirectoryDurably, writeFileDurably } from '../support/durable.ts';
import { codeOf, FailedError, isForbidden, isOfSystem, messageOf } from '../support/errors.ts';
import { realPlace } from '../support/real-place.ts';
import { readSmallFile } from '../support/small-file.ts';
import { systemAdvice } from '../support/system-advice.ts';

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

/**
 * The same for whoever must not go on as if nothing had been remembered.
 * @throws {FailedError} when there is something, and the system does not let it be read
 */
export async function expectHostRecord(
  kind: RecordKind,
  stateDir: string,
  directory: string,
): Promise<Set<Digest>> {
  const path = recordIn(kind, stateDir, directory);
  return new Set(
    digestsIn(path, (error) => {
      if (!isOfSystem(error) || isNothing(error)) return;
      throw new FailedError(`reading ${path}: ${messageOf(error)}`, {
        ...systemAdvice(error),
        facts: { path },
        cause: error,
      });
    }),
  );
}

/** Of a directory that is another user's nothing is remembered by this one. */
function isNothing(error: unknown): boolean {
  return isForbidden(error) || ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
}

/** The same of all repositories together. */
export async function readEveryHostRecord(kind: RecordKind, stateDir: string): Promise<Set<Digest>> {
  const directory = join(stateDir, kind);
  const names = await readdir(directory).catch(() => []);
  return new Set(names.flatMap((name) => digestsIn(join(directory, name))));
}

function digestsIn(path: string, onUnreadable: (error: unknown) => void = () => {}): Digest[] {
  try {
    const digests: unknown = JSON.parse(readSmallFile(path, sizeLimit).toString());
    return Array.isArray(digests) ? digests.filter(isDigest) : [];
  } catch (error) {
    onUnreadable(error);
    return [];
  }
}

function recordIn(kind: RecordKind, stateDir: string, directory: string): string {
  return join(stateDir, kind, `${hexOf(digestOf(realPlace(directory))).slice(0, 32)}.json`);
}

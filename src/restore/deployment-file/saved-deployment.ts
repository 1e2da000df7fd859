import type { ReadableRepository } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { DamagedError } from '../../support/errors.ts';
import { sourceTree } from '../tree/source-tree.ts';

/** The deployment file that a snapshot holds. */
export interface SavedDeployment {
  /** Where it lay on its host; absolute. */
  file: string;
  text: string;
}

/**
 * What ran on the host that a snapshot is of, for a machine that knows nothing of it.
 * @throws {DamagedError} when it does not hold that.
 * @throws {SignatureError} when it is encrypted and no key is at hand
 */
export async function savedDeployment(
  repository: ReadableRepository,
  snapshot: Snapshot,
): Promise<SavedDeployment> {
  const source = snapshot.sources.find(({ kind }) => kind === 'deployment');
  const file = source?.origin.file;
  if (source !== undefined && typeof file === 'string' && file.startsWith('/')) {
    const text = await textIn(repository, snapshot, source.name).catch((cause: unknown) => {
      throw cause instanceof DamagedError ? unusable(snapshot, cause.message, cause) : cause;
    });
    if (text !== undefined) return { file, text };
  }
  throw unusable(snapshot, 'it is not there');
}

async function textIn(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
): Promise<string | undefined> {
  for await (const entry of sourceTree(repository, snapshot, source, ['.'])) {
    if (entry.path !== 'deployment.yaml' || (entry.size ?? 0) > largest) continue;
    const pieces = await Array.fromAsync(repository.content(snapshot, entry));
    return Buffer.concat(pieces).toString('utf8');
  }
  return undefined;
}

function unusable({ id }: Snapshot, why: string, cause?: DamagedError): DamagedError {
  return new DamagedError(`restoring ${shortId(id)}: looking for its deployment file: ${why}`, {
    advice: 'Write one and name it with --file, or write the files out with --to DIR',
    cause,
  });
}

/** Bytes; far more than any deployment needs. */
const largest = 4 * 1024 * 1024;

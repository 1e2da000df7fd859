import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf, isForbidden, messageOf, NotFoundError, UsageError } from '../../support/errors.ts';
import { requireTrustedPlace } from './trusted-place.ts';

/** Far more than any deployment needs. */
const sizeLimit = 4 * 2 ** 20;

/**
 * The text of a file that may name commands which root runs. Refuses it when anybody but root and whoever runs
 * dockerctl could write it, or put another one in its place.
 *
 * @throws NotFoundError when there is none
 * @throws UsageError when it is not trustworthy, no regular file, too large or not UTF-8
 */
export async function readTrustedFile(path: string, purpose: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw cannotOpen(path, purpose, error);
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unusable(path, purpose, 'it is not a regular file');
    if (status.size > sizeLimit) throw unusable(path, purpose, `it is larger than ${sizeLimit} bytes`);
    await requireTrustedPlace(path, status, { purpose, danger: 'It may name commands that dockerctl runs' });
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile());
  } catch (error) {
    if (error instanceof TypeError) throw unusable(path, purpose, 'it is not UTF-8 text');
    throw error;
  } finally {
    await file.close();
  }
}

function unusable(path: string, purpose: string, reason: string): UsageError {
  return new UsageError(`cannot use the ${purpose} ${path}: ${reason}`, { facts: { file: path } });
}

function cannotOpen(path: string, purpose: string, cause: unknown): Error {
  const facts = { file: path };
  if (codeOf(cause) === 'ENOENT')
    return new NotFoundError(`there is no ${purpose} ${path}`, { facts, cause });
  const why = isForbidden(cause) ? 'this user may not' : messageOf(cause);
  return new UsageError(`cannot read the ${purpose} ${path}: ${why}`, {
    ...(isForbidden(cause) && { advice: 'Run it as root, or as the user to whom the file belongs' }),
    facts,
    cause,
  });
}

import { readdirSync } from 'node:fs';
import { codeOf } from '../../support/errors.ts';
import { toFsPath, toText } from '../../support/posix/byte-path.ts';
import { isStagingName, stagingName } from '../../support/staging-name.ts';
import { joinPath, type Layout } from '../places.ts';

/**
 * What restores left beside the targets that no journal knows, as where the state directory was lost with the host and
 * the data was not; in words.
 *
 * @param known ids of restores
 */
export function strayStagings({ places }: Layout, known: readonly string[]): string[] {
  const names = known.map(stagingName);
  return places.flatMap(({ directory }) =>
    namesOf(directory)
      .filter((name) => isStagingName(name) && !names.includes(name))
      .map((name) => toText(joinPath(directory, name)))
      .map(
        (path) =>
          `${path} is of a restore that is not known here any more: what that replaced is in old, and stays until you remove it`,
      ),
  );
}

/** None where it is yet to be made. */
function namesOf(directory: string): string[] {
  try {
    return readdirSync(toFsPath(directory), 'latin1');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

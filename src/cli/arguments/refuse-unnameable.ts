import { UsageError } from '../../support/errors.ts';
import type { Io } from '../io.ts';

/**
 * Refuses words that are not UTF-8: node has put U+FFFD for their bytes by now, and what would be read or written is
 * another path than the one that was meant. So it is with a working directory of such a name, or one that is gone.
 * @throws {UsageError} naming the first
 */
export function refuseUnnameable({ argv, workingDirectory }: Pick<Io, 'argv' | 'workingDirectory'>): void {
  const word = argv.find(isMangled);
  if (word !== undefined)
    throw new UsageError(`reading the command line: ${word} is not UTF-8`, {
      advice:
        'Reach such a path by a link with another name; of files in a backup write the bytes as `backup ls` does: \\xff',
    });
  const problem =
    workingDirectory === ''
      ? 'it was removed, or may not be read'
      : isMangled(workingDirectory) && `its name ${workingDirectory} is not UTF-8`;
  if (problem)
    throw new UsageError(`looking at the working directory: ${problem}`, {
      advice: 'Change to another directory and try again',
    });
}

function isMangled(text: string): boolean {
  return text.includes('\uFFFD');
}

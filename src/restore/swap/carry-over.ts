import { closeSync, fsyncSync } from 'node:fs';
import { codeOf } from '../../support/errors.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import { renameAt } from '../../support/posix/rename.ts';
import { existsAt, statFile } from '../../support/posix/stat.ts';
import { setTimesAt } from '../../support/posix/times.ts';
import { atPath } from '../../support/posix/whole-path.ts';
import { joinPath } from '../places.ts';
import { openStaging } from './staging.ts';

/**
 * Moves what a backup left out from the replaced tree to the restored one, from wherever an earlier attempt stopped.
 * The directories keep their times.
 */
export function carryOver(directory: string, paths: readonly string[], id: string): void {
  carry(directory, paths, id, 'forth');
}

/** And back, however much of it was moved. */
export function carryBack(directory: string, paths: readonly string[], id: string): void {
  carry(directory, paths.toReversed(), id, 'back');
}

function carry(directory: string, paths: readonly string[], id: string, way: 'forth' | 'back'): void {
  if (paths.length === 0) return;
  const staging = openStaging(directory, id);
  try {
    const [from, to] = way === 'forth' ? [staging.old, staging.place] : [staging.place, staging.old];
    for (const path of paths) atPath(joinPath(directory, path), () => moveInside(from, to, path.split('/')));
  } finally {
    staging.close();
  }
}

/** No-op when it is not there any more: then it has been moved already. */
function moveInside(from: number, to: number, [name, ...rest]: readonly string[]): void {
  if (name === undefined) return;
  if (rest.length === 0) {
    if (existsAt(from, name) && !existsAt(to, name))
      keepingTimes([from, to], () => renameAt(from, name, to, name));
    return;
  }
  const opened: number[] = [];
  try {
    for (const parent of [from, to]) opened.push(openDirectoryAt(parent, name));
    moveInside(opened[0]!, opened[1]!, rest);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function keepingTimes(directories: readonly number[], act: () => void): void {
  const times = directories.map((directory) => statFile(directory).mtime);
  act();
  for (const [i, directory] of directories.entries()) {
    setTimesAt(directory, '.', times[i]!);
    fsyncSync(directory);
  }
}

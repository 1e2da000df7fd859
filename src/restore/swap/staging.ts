import { closeSync, fsyncSync, mkdirSync, readdirSync } from 'node:fs';
import { codeOf } from '../../support/errors.ts';
import { pathAt, toFsPath } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import { atPath } from '../../support/posix/whole-path.ts';
import { stagingName } from '../../support/staging-name.ts';
import { joinPath } from '../places.ts';
import { removeInheritedAcl } from '../tree/metadata.ts';
import { openPlainDirectory } from './directories.ts';
import { removeTree } from './remove-tree.ts';

/**
 * A directory of ours inside a place, on the same file system as what it will replace: `new` holds what was staged,
 * `old` what was replaced. 0700, and its name tells the restore it belongs to.
 */
export interface Staging {
  /** The place itself, `new` and `old`, as open directories. */
  place: number;
  fresh: number;
  old: number;
  close(): void;
}

/** Creates it. Throws `EEXIST` when it is there. */
export function createStaging(directory: string, id: string): Staging {
  atPath(stagingPath(directory, id), () => makeStaging(directory, id));
  return openStaging(directory, id);
}

function makeStaging(directory: string, id: string): void {
  const place = openPlainDirectory(directory);
  try {
    makePrivateDirectory(place, stagingName(id));
    const staging = openDirectoryAt(place, stagingName(id));
    try {
      makePrivateDirectory(staging, 'new');
      makePrivateDirectory(staging, 'old');
      fsyncSync(staging);
    } finally {
      closeSync(staging);
    }
    fsyncSync(place);
  } finally {
    closeSync(place);
  }
}

/** Opens the staging directory of a restore that was begun. Whoever opened it closes it. */
export function openStaging(directory: string, id: string): Staging {
  return atPath(stagingPath(directory, id), () => openParts(directory, id));
}

function openParts(directory: string, id: string): Staging {
  const descriptors: number[] = [];
  const close = () => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
  };
  const open = (parent: number, name: string) => {
    descriptors.push(openDirectoryAt(parent, name));
    return descriptors.at(-1)!;
  };
  try {
    const place = openPlainDirectory(directory);
    descriptors.push(place);
    const staging = open(place, stagingName(id));
    return { place, fresh: open(staging, 'new'), old: open(staging, 'old'), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Removes it with all that is in it. No-op when it, or the place, is gone. */
export async function removeStaging(directory: string, id: string): Promise<void> {
  let place: number;
  try {
    place = openPlainDirectory(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await removeTree(place, stagingName(id));
    atPath(directory, () => fsyncSync(place));
  } finally {
    closeSync(place);
  }
}

/** Names in an open directory, sorted by their bytes. */
export function namesIn(directory: number): string[] {
  return readdirSync(pathAt(directory, ''), 'latin1').sort();
}

function stagingPath(directory: string, id: string): string {
  return joinPath(directory, stagingName(id));
}

function makePrivateDirectory(parent: number, name: string): void {
  mkdirSync(toFsPath(pathAt(parent, name)), 0o700);
  const made = openDirectoryAt(parent, name);
  try {
    removeInheritedAcl(made);
  } finally {
    closeSync(made);
  }
}

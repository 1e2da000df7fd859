import { statfs } from 'node:fs/promises';
import type { Entry } from '../../repository/entry.ts';
import { NoSpaceError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { currentDirectory, existsAt, statAt } from '../../support/posix/stat.ts';
import { formatBytes } from '../../support/quantities.ts';
import { parentDirectory } from '../places.ts';
import type { SpaceNeed } from './plan.ts';

export interface Need {
  bytes: number;
  inodes: number;
}

const block = 4096;

/** What one file will take: its data in whole blocks, and an inode unless it is another name of one. */
export function needOf({ type, size = 0, holes = [], hardlink }: Entry): Need {
  if (hardlink !== undefined) return { bytes: 0, inodes: 0 };
  if (type === 'directory') return { bytes: block, inodes: 1 };
  const data = holes.reduce((rest, [, length]) => rest - length, size);
  return { bytes: Math.ceil(data / block) * block, inodes: 1 };
}

/** What staging takes in each place besides: a directory with two in it. */
export const stagingNeed: Need = { bytes: 3 * block, inodes: 3 };

/** Adds up needs by the directories they are in to needs by file system, and asks each what it has. */
export async function spaceNeeds(byDirectory: ReadonlyMap<string, Need>): Promise<SpaceNeed[]> {
  const fileSystems = new Map<number, SpaceNeed>();
  for (const [directory, need] of byDirectory) {
    const existing = nearestExisting(directory);
    const { device } = statAt(currentDirectory, existing);
    const total = fileSystems.get(device) ?? (await supplyOf(existing));
    total.bytes.need += need.bytes;
    total.inodes.need += need.inodes;
    fileSystems.set(device, total);
  }
  return [...fileSystems.values()];
}

/**
 * @param beside nothing is replaced
 * @throws {NoSpaceError} naming the first file system that has too little
 */
export function expectSpace(needs: readonly SpaceNeed[], beside: boolean): void {
  const advice = beside
    ? 'Make room there, name another directory with --to, or fewer sources with --only'
    : 'The old data stays until the new is in place: make room, or restore sources one by one with --only';
  for (const { directory, bytes, inodes } of needs) {
    if (bytes.need > bytes.free) throw tooLittle({ directory, unit: 'bytes', ...bytes }, advice);
    const { need, free } = inodes;
    if (free !== undefined && need > free) throw tooLittle({ directory, unit: 'inodes', need, free }, advice);
  }
}

async function supplyOf(directory: string): Promise<SpaceNeed> {
  const { bavail, bsize, files, ffree } = await statfs(Buffer.from(directory, 'latin1'));
  return {
    directory: toText(directory),
    bytes: { need: 0, free: bavail * bsize },
    inodes: { need: 0, free: files === 0 ? undefined : ffree },
  };
}

/** It, or the first above it that is there. */
export function nearestExisting(directory: string): string {
  return existsAt(currentDirectory, directory) ? directory : nearestExisting(parentDirectory(directory));
}

interface Lack {
  directory: string;
  unit: 'bytes' | 'inodes';
  need: number;
  free: number;
}

function tooLittle(lack: Lack, advice: string): NoSpaceError {
  const { directory, unit, need, free } = lack;
  const [needed, left] = [need, free].map(unit === 'bytes' ? formatBytes : (number) => `${number} ${unit}`);
  return new NoSpaceError(`restoring to ${directory}: needs ${needed}, and ${left} are free`, {
    advice,
    facts: { ...lack },
  });
}

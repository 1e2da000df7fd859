import { fsyncSync } from 'node:fs';
import { codeOf, FailedError, messageOf } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { renameAt } from '../../support/posix/rename.ts';
import { existsAt } from '../../support/posix/stat.ts';
import { atPath } from '../../support/posix/whole-path.ts';
import { isStagingName } from '../../support/staging-name.ts';
import { joinPath, type Place } from '../places.ts';
import { namesIn, openStaging, type Staging } from './staging.ts';

/** One name of a place: whether something has it that goes to `old`, and whether something staged takes it. */
export interface Move {
  name: string;
  old: boolean;
  new: boolean;
  /** It goes with this name: nothing is staged for it, but what has come since may have made one of its own. */
  with?: string;
}

/**
 * What swapping a place will do. Recorded before the first of it is done, it can be repeated and taken back at any
 * point.
 */
export function planMoves(
  { directory, children }: Pick<Place, 'directory' | 'children'>,
  kept: ReadonlySet<string>,
  id: string,
): Move[] {
  const staging = openStaging(directory, id);
  try {
    const staged = new Set(namesIn(staging.fresh));
    if (children === 'all') staged.delete(lostAndFound);
    const present =
      children === 'all'
        ? namesIn(staging.place).filter((name) => belongsToTree(directory, name, kept))
        : [...children].filter((name) => staged.has(name) && existsAt(staging.place, name));
    const names = new Set([...present, ...staged]);
    return [...names].map((name) => ({ name, old: present.includes(name), new: staged.has(name) }));
  } finally {
    staging.close();
  }
}

/** Carries moves out, from wherever an earlier attempt stopped. */
export function applyMoves(directory: string, moves: readonly Move[], id: string): void {
  withStaging(directory, id, (staging) => {
    for (const move of moves) {
      if (move.old && !existsAt(staging.old, move.name))
        rename(directory, staging.place, staging.old, move.name);
      if (move.new && existsAt(staging.fresh, move.name))
        rename(directory, staging.fresh, staging.place, move.name);
    }
  });
}

/** Takes moves back, however many of them were done. */
export function revertMoves(directory: string, moves: readonly Move[], id: string): void {
  withStaging(directory, id, (staging) => {
    for (const move of moves.toReversed()) {
      const left = move.with !== undefined && !existsAt(staging.fresh, move.with);
      if (left && (!move.old || existsAt(staging.old, move.name)) && existsAt(staging.place, move.name))
        rename(directory, staging.place, staging.fresh, move.name);
      const moved = move.new && !existsAt(staging.fresh, move.name);
      if (moved && existsAt(staging.place, move.name))
        rename(directory, staging.place, staging.fresh, move.name);
      if (move.old && existsAt(staging.old, move.name))
        rename(directory, staging.old, staging.place, move.name);
    }
  });
}

/** What goes with the names of a place, once nobody makes or removes it any more. */
export function planCompanions(
  directory: string,
  companions: readonly { name: string; of: string }[],
  id: string,
): Move[] {
  const staging = openStaging(directory, id);
  try {
    return companions.map(({ name, of }) => ({
      name,
      old: existsAt(staging.place, name),
      new: false,
      with: of,
    }));
  } finally {
    staging.close();
  }
}

/** At the top of a file system it is the file system's own. */
const lostAndFound = 'lost+found';

function belongsToTree(directory: string, name: string, kept: ReadonlySet<string>): boolean {
  return !isStagingName(name) && name !== lostAndFound && !kept.has(joinPath(directory, name));
}

function withStaging(directory: string, id: string, act: (staging: Staging) => void): void {
  const staging = openStaging(directory, id);
  try {
    act(staging);
    atPath(directory, () => {
      for (const descriptor of [staging.fresh, staging.old, staging.place]) fsyncSync(descriptor);
    });
  } finally {
    staging.close();
  }
}

/** Never over something: what appeared there meanwhile is not ours to lose. */
function rename(directory: string, from: number, to: number, name: string): void {
  try {
    renameAt(from, name, to, name, 'keep');
  } catch (error) {
    if (codeOf(error) !== 'EINVAL' || existsAt(to, name)) throw failed(directory, name, error);
    // The file system does not know how to keep; nobody else works in here.
    renameAt(from, name, to, name);
  }
}

function failed(directory: string, name: string, cause: unknown): FailedError {
  const path = toText(joinPath(directory, name));
  const reason = codeOf(cause) === 'EEXIST' ? 'something else appeared there meanwhile' : messageOf(cause);
  return new FailedError(`moving ${path}: ${reason}`, { cause, facts: { path } });
}

import { closeSync, constants, copyFileSync, linkSync } from 'node:fs';
import type { Entry } from '../../repository/entry.ts';
import { codeOf, DamagedError } from '../../support/errors.ts';
import { pathAt, toFsPath, toText } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import { statAt } from '../../support/posix/stat.ts';
import { nameOf, parentOf } from './checked-entries.ts';
import type { Location, MetadataOptions } from './metadata.ts';
import type { Destinations } from './tree-writer.ts';

/**
 * Gives the file that an entry links to a second name. It is reached step by step from where its tree begins, and no
 * link among the steps is followed.
 * @throws {DamagedError} when there is no such file
 */
export function makeHardLink(
  entry: Entry,
  { directory, name }: Location,
  destinations: Destinations,
  options: Told,
): void {
  atLinked(entry, destinations, options, (from) => linkSync(from, toFsPath(pathAt(directory, name))));
}

/** For want of a link: the same content, once the first file is whole. */
export function copyLinked(
  entry: Entry,
  { directory, name }: Location,
  destinations: Destinations,
  options: Told,
): void {
  atLinked(entry, destinations, options, (from) => {
    copyFileSync(from, toFsPath(pathAt(directory, name)), constants.COPYFILE_EXCL);
  });
}

type Told = Pick<MetadataOptions, 'pathOf'>;

function atLinked(
  entry: Entry,
  destinations: Destinations,
  options: Told,
  act: (path: Buffer) => void,
): void {
  const { start, steps } = routeTo(entry, destinations, options);
  const opened: number[] = [];
  try {
    for (const step of steps.slice(0, -1)) opened.push(openDirectoryAt(opened.at(-1) ?? start, step));
    const at = { directory: opened.at(-1) ?? start, name: steps.at(-1)! };
    if (statAt(at.directory, at.name).type !== entry.type) throw noSuchFile(entry, options);
    act(toFsPath(pathAt(at.directory, at.name)));
  } catch (cause) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(cause) ?? '')) throw cause;
    throw noSuchFile(entry, options, cause);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** The open directory to start from, and the names from there. */
function routeTo(
  entry: Entry,
  destinations: Destinations,
  options: Told,
): { start: number; steps: string[] } {
  const steps: string[] = [];
  for (let from = entry.hardlink!; ; from = parentOf(from)) {
    const root = destinations.rootAt(from);
    if (root !== undefined) return { start: root.directory, steps: [root.name, ...steps] };
    const kept = destinations.keptAt(from);
    if (kept !== undefined && steps.length > 0) return { start: kept, steps };
    if (from === '.') throw noSuchFile(entry, options);
    steps.unshift(nameOf(from));
  }
}

function noSuchFile(entry: Entry, { pathOf }: Told, cause?: unknown): DamagedError {
  const [path, target] = [entry.path, entry.hardlink!].map((one) => toText(pathOf({ path: one })));
  return new DamagedError(`restoring ${path}: the snapshot has no file ${target} for it to link to`, {
    cause,
    facts: { path, target },
  });
}

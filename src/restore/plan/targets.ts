import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { companionSuffixes } from '../../databases/sqlite/file-name.ts';
import { codeOf, FailedError, UsageError } from '../../support/errors.ts';
import { fromText } from '../../support/posix/byte-path.ts';
import type { Target } from '../places.ts';
import type { SelectedSource } from './select.ts';

/**
 * Where the trees of the sources belong on this host. The directories above a target are resolved now; a link that is
 * the target itself is replaced, not followed.
 *
 * @param volumes mountpoints by the engine's names
 */
export async function hostTargets(
  selected: readonly SelectedSource[],
  volumes: ReadonlyMap<string, string>,
): Promise<Target[]> {
  const targets = selected.flatMap(({ summary: { name }, paths = [], volume, directory, files = [] }) => [
    ...paths.map((path) => ({ source: name, root: rootOf(path), path })),
    ...files.map(({ root, path }) => ({ source: name, root, path, companions: companionsOf(path) })),
    ...(directory === undefined ? [] : [{ source: name, root: '.', path: directory }]),
    ...(volume === undefined ? [] : [{ source: name, root: '.', path: volumes.get(volume)! }]),
  ]);
  return Promise.all(targets.map(async (target) => ({ ...target, path: await resolved(target.path) })));
}

/** What belongs to the database file that was there goes with it. */
function companionsOf(path: string): string[] {
  return companionSuffixes.map((suffix) => fromText(basename(path)) + suffix);
}

/** Everything under `directory`, each source in a directory of its name; dumps as the files they are. */
export async function directoryTargets(
  selected: readonly SelectedSource[],
  directory: string,
): Promise<Target[]> {
  const targets = selected.flatMap(({ summary: { name }, paths }) => {
    const own = join(directory, name);
    if (paths === undefined) return [{ source: name, root: '.', path: own }];
    return paths.map((path) => ({
      source: name,
      root: rootOf(path),
      path: join(own, path),
    }));
  });
  return Promise.all(targets.map(async (target) => ({ ...target, path: await resolved(target.path) })));
}

/** Where the trees of a source begin. */
export function rootsOf({ paths }: SelectedSource): string[] {
  return paths === undefined ? ['.'] : paths.map(rootOf);
}

/** Path in the tree of a path of the host. */
function rootOf(path: string): string {
  return fromText(path).replace(/^\/+|\/+$/g, '') || '.';
}

async function resolved(path: string): Promise<string> {
  const clean = join(path, '.');
  if (dirname(clean) === clean) {
    throw new UsageError(`restoring ${path}: the root of the host cannot be replaced while it runs`, {
      advice: 'Restore it beside with --to DIR',
    });
  }
  const parent = await resolvedDirectory(dirname(clean));
  return fromText(join(parent, basename(clean)));
}

/** With every link resolved as far as it exists; what is missing will be made. */
async function resolvedDirectory(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') throw noDirectory(path, error);
    if (codeOf(error) !== 'ENOENT') {
      throw new FailedError(`looking at ${path}: ${(error as Error).message}`, { cause: error });
    }
    return join(await resolvedDirectory(dirname(path)), basename(path));
  }
}

function noDirectory(path: string, cause: unknown): FailedError {
  return new FailedError(`restoring into ${path}: something above it is no directory`, {
    advice: 'Move that away, or name another directory with --to DIR',
    facts: { path },
    cause,
  });
}

import type { Engine } from '../../engine/engine.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { codeOf, FailedError, UsageError } from '../../support/errors.ts';
import { isAtOrIn, isInside, overlap } from '../../support/path-containment.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { currentDirectory, statAt } from '../../support/posix/stat.ts';
import type { RestoreHost } from '../host.ts';
import {
  hostPath,
  isUntouched,
  type Layout,
  layOut,
  parentDirectory,
  type Target,
  targetOf,
} from '../places.ts';
import type { ServiceState, Services } from '../services/services.ts';
import { sourceTree } from '../tree/source-tree.ts';
import { mountPoints } from './mounts.ts';
import { type Need, needOf, spaceNeeds } from './needs.ts';
import type { Survey } from './plan.ts';
import type { SelectedSource } from './select.ts';
import { directoryTargets, hostTargets } from './targets.ts';
import { untouchedIn } from './untouched.ts';

/** Where the restored files go, as far as it is known before anything is made. */
export interface Ground {
  targets: Target[];
  layout: Layout;
}

/**
 * Finds the ground of a restore, and refuses what cannot be replaced by renaming.
 * @param to everything goes under this directory, and the host is not asked
 */
export async function findGround(
  selected: readonly SelectedSource[],
  host: RestoreHost | undefined,
  to: string | undefined,
  stateDir: string,
): Promise<Ground> {
  const mounts = await mountPoints();
  const found =
    to === undefined
      ? await hostTargets(selected, await volumeMountpoints(selected, host!.engine))
      : await directoryTargets(selected, to);
  const declared = host?.deployment.backup?.sources ?? [];
  const targets = found.map((target) => ({
    ...target,
    untouched: untouchedIn(target, { mounts, declared, stateDir }),
  }));
  for (const { path } of targets) refuseMountedFiles(path, mounts);
  for (const { source, path } of targets) {
    const { volume, rebuilt, sqlite } = selected.find(({ summary }) => summary.name === source)!;
    if (volume && mounts.includes(path)) {
      throw new FailedError(`restoring ${source}: its volume is mounted by its driver at ${toText(path)}`, {
        advice: 'Restore it beside with --to DIR, and copy it into the volume from a container',
      });
    }
    if (rebuilt) refuseMounts(source, path, mounts);
    if (rebuilt || sqlite) refuseUnlessAlone(source, path, targets);
  }
  return { targets, layout: layOut(targets, mounts) };
}

/** Reads the trees through, so that damage is found and room is measured before anything is done. */
export async function surveyHost(
  repository: ReadableRepository,
  snapshot: Snapshot,
  selected: readonly SelectedSource[],
  { targets, layout }: Ground,
  options: { services: Services | undefined; release: string | undefined; partial: boolean },
  context: Context,
): Promise<Survey> {
  const services = (await options.services?.list()) ?? [];
  const needs = new Map<string, Need>();
  for (const { summary, database } of selected) {
    const own = targets.filter(({ source }) => source === summary.name);
    const roots = own.length > 0 ? own.map(({ root }) => root) : ['.'];
    for await (const entry of sourceTree(repository, snapshot, summary.name, roots)) {
      context.signal.throwIfAborted();
      const target = targetOf(own, entry.path);
      if (target && isUntouched(target, entry.path)) continue;
      const directory = target
        ? parentDirectory(hostPath(target, entry.path))
        : database && dataDirectory(services, database.service);
      if (directory !== undefined) add(needs, placeAbove(directory, layout), needOf(entry));
    }
  }
  return {
    release: options.release,
    services,
    strangers: (await options.services?.strangers()) ?? [],
    targets: targets.map(({ source, path }) => ({ source, path, where: toText(path), exists: exists(path) })),
    partial: options.partial,
    space: await spaceNeeds(needs),
  };
}

/** Where volumes live; one that is missing will be made where the engine makes volumes. */
async function volumeMountpoints(
  selected: readonly SelectedSource[],
  engine: Engine,
): Promise<Map<string, string>> {
  const mountpoints = new Map<string, string>();
  for (const { volume } of selected) {
    if (volume === undefined) continue;
    mountpoints.set(volume, await volumeMountpoint(volume, engine));
  }
  return mountpoints;
}

/** The directory of a volume on the engine's host; where it is going to be, when it is not there. */
export async function volumeMountpoint(name: string, engine: Engine): Promise<string> {
  const existing = await engine.volumes.inspect(name);
  return existing?.mountpoint ?? `${(await engine.info()).rootDir}/volumes/${name}/_data`;
}

/** What is staged in a place takes room there, however deep it will be below. */
function placeAbove(directory: string, { places }: Layout): string {
  let deepest = '';
  for (const place of places) {
    const inside = isAtOrIn(directory, place.directory);
    if (inside && place.directory.length > deepest.length) deepest = place.directory;
  }
  return deepest || directory;
}

/** Of a database server, on this host; as far as its mounts tell. */
function dataDirectory(services: readonly ServiceState[], service: string): string | undefined {
  const mounts = services.find(({ name }) => name === service)?.mounts ?? [];
  return mounts.find(({ target }) => /postgres|pgsql/.test(target))?.source;
}

/** A server that finds other files in its data directory does not start. */
function refuseMounts(source: string, path: string, mounts: readonly string[]): void {
  if (mounts.some((mount) => isAtOrIn(mount, path))) {
    throw new FailedError(`restoring ${source}: something is mounted in its data directory ${toText(path)}`, {
      advice:
        'Mount the file system one directory higher, or restore the dump beside with --to DIR and load it by hand',
    });
  }
}

/** A directory that is replaced as a whole takes along what is staged in it. */
function refuseUnlessAlone(source: string, path: string, targets: readonly Target[]): void {
  const other = targets.find((target) => target.source !== source && overlap(target.path, path));
  if (other === undefined) return;
  throw new UsageError(`restoring ${source}: ${other.source} holds ${toText(path)} too`, {
    advice: 'Restore one after the other with --only',
  });
}

function refuseMountedFiles(path: string, mounts: readonly string[]): void {
  for (const mount of mounts) {
    if (mount !== path && !isInside(mount, path)) continue;
    if (statAt(currentDirectory, mount).type === 'directory') continue;
    throw new FailedError(
      `restoring ${toText(path)}: the file ${toText(mount)} is mounted there from elsewhere`,
      {
        advice: 'Restore on the host it comes from, or beside with --to DIR',
      },
    );
  }
}

function exists(path: string): boolean {
  try {
    statAt(currentDirectory, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function add(needs: Map<string, Need>, directory: string, need: Need): void {
  const sum = needs.get(directory) ?? { bytes: 0, inodes: 0 };
  needs.set(directory, { bytes: sum.bytes + need.bytes, inodes: sum.inodes + need.inodes });
}

import type { Engine } from '../../engine/engine.ts';
import { FailedError, UsageError } from '../../support/errors.ts';
import { isAtOrIn, overlap } from '../../support/path-containment.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { currentDirectory, statAt } from '../../support/posix/stat.ts';
import type { RestoreHost } from '../host.ts';
import { type Layout, layOut, type Target } from '../places.ts';
import { expectWritable } from './expect-writable.ts';
import { mountPoints } from './mounts.ts';
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
  const targets = found.map((target) => {
    const filter = selected.find(({ summary }) => summary.name === target.source)?.filter;
    return { ...target, untouched: untouchedIn(target, { mounts, filter, stateDir }) };
  });
  for (const target of targets) refuseMountedFiles(target, mounts);
  for (const { source, path } of targets) {
    const { volume, rebuilt, sqlite } = selected.find(({ summary }) => summary.name === source)!;
    if (volume) refuseMountedVolume(source, path, mounts);
    if (rebuilt) refuseMounts(source, path, mounts);
    if (rebuilt || sqlite) refuseUnlessAlone(source, path, targets);
  }
  const layout = layOut(targets, mounts);
  expectWritable(layout);
  return { targets, layout };
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

function refuseMountedFiles(
  { path, untouched }: Target & { untouched: string[] },
  mounts: readonly string[],
): void {
  for (const mount of mounts) {
    if (!isAtOrIn(mount, path) || untouched.some((one) => isAtOrIn(mount, one))) continue;
    if (statAt(currentDirectory, mount).type === 'directory') continue;
    throw new FailedError(
      `restoring ${toText(path)}: the file ${toText(mount)} is mounted there from elsewhere`,
      {
        advice: 'Unmount it, exclude it from the source, or restore beside with --to DIR',
      },
    );
  }
}

function refuseMountedVolume(source: string, path: string, mounts: readonly string[]): void {
  if (!mounts.includes(path)) return;
  throw new FailedError(`restoring ${source}: its volume is mounted by its driver at ${toText(path)}`, {
    advice: 'Restore it beside with --to DIR, and copy it into the volume from a container',
  });
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

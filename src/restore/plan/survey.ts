import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { isAtOrIn } from '../../support/path-containment.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { currentDirectory, existsAt } from '../../support/posix/stat.ts';
import { hostPath, isUntouched, type Layout, parentDirectory, targetOf } from '../places.ts';
import type { ServiceState, Services } from '../services/services.ts';
import { sourceTree } from '../tree/source-tree.ts';
import type { Ground } from './ground.ts';
import { type Need, needOf, spaceNeeds, stagingNeed } from './needs.ts';
import type { Survey } from './plan.ts';
import type { SelectedSource } from './select.ts';

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
  for (const { directory } of layout.places) add(needs, directory, stagingNeed);
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
    beside: options.services === undefined,
    release: options.release,
    services,
    strangers: (await options.services?.strangers()) ?? [],
    targets: targets.map(({ source, path }) => ({
      source,
      path,
      where: toText(path),
      exists: existsAt(currentDirectory, path),
    })),
    partial: options.partial,
    space: await spaceNeeds(needs),
  };
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

function add(needs: Map<string, Need>, directory: string, need: Need): void {
  const sum = needs.get(directory) ?? { bytes: 0, inodes: 0 };
  needs.set(directory, { bytes: sum.bytes + need.bytes, inodes: sum.inodes + need.inodes });
}

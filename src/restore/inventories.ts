import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Inventory } from '../deployment/backup-settings.ts';
import { runHostCommand } from '../deployment/commands/run-host-command.ts';
import { runInContainer } from '../engine/containers/run-in-container.ts';
import type { ReadableRepository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import type { Context } from '../support/context.ts';
import { FailedError, messageOf } from '../support/errors.ts';
import type { RestoreHost } from './host.ts';
import type { DatabasePorts } from './sources/databases.ts';
import { sourceTree } from './tree/source-tree.ts';

/** Things that came after the backup, and what the operator should do about them. */
export interface Newcomers {
  inventory: string;
  /** What people call them. */
  labels: string[];
  advice: string;
}

/** What one inventory printed. */
export interface Taken {
  inventory: string;
  items: Item[];
}

type Item = Record<string, unknown>;

/** Seconds an inventory may take. */
const patience = 300;

/** Compares what the inventories told before and tell now with what they told when the backup was made. */
export async function findNewcomers(
  ports: DatabasePorts | undefined,
  before: readonly Taken[],
  warn: (message: string) => void,
  context: Context,
): Promise<Newcomers[]> {
  const inventories = ports?.deployment.backup?.inventories ?? [];
  if (ports === undefined || inventories.length === 0) return [];
  try {
    const now = [...before, ...(await takeInventories(ports, warn, context))];
    return newcomers(await savedInventories(ports.repository, ports.snapshot), now, inventories);
  } catch (error) {
    // The restore is done and checked: what cannot be told about it does not undo it.
    warn(`comparing inventories: ${messageOf(error)}`);
    return [];
  }
}

/** Takes the inventories that answer; a service that does not run has none to tell. Complaints go to `warn`. */
export async function takeInventories(
  { deployment, engine, services }: RestoreHost,
  warn: (message: string) => void,
  { signal }: Context,
): Promise<Taken[]> {
  const running = (await services.list()).flatMap(({ name, state }) => (state === 'running' ? [name] : []));
  const taken: Taken[] = [];
  for (const { name, service, command } of deployment.backup?.inventories ?? []) {
    if (service !== undefined && !running.includes(service)) continue;
    try {
      const options = { signal, timeout: patience };
      const { status, stdout } =
        service === undefined
          ? await runHostCommand(command, options)
          : await runInContainer(engine, await services.container(service), command, options);
      if (status !== 0) throw new FailedError(`exit ${status}`);
      taken.push({ inventory: name, items: parseItems(stdout) });
    } catch (error) {
      signal.throwIfAborted();
      warn(`inventory ${name}: ${messageOf(error)}`);
    }
  }
  return taken;
}

/** The inventories that were saved with a snapshot. */
export async function savedInventories(repository: ReadableRepository, snapshot: Snapshot): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (const { name, kind } of snapshot.sources) {
    if (kind !== 'deployment') continue;
    for await (const entry of sourceTree(repository, snapshot, name, ['.'])) {
      const inventory = /^inventories\/(.+)\.json$/.exec(entry.path)?.[1];
      if (inventory === undefined || (entry.size ?? 0) > largestInventory) continue;
      const bytes = await buffer(Readable.from(repository.content(snapshot, entry)));
      taken.push({ inventory, items: parseItems(bytes.toString('utf8')) });
    }
  }
  return taken;
}

const largestInventory = 64 * 1024 * 1024;

/** Pure: what is in one of `now` and was not in the backup. */
export function newcomers(
  saved: readonly Taken[],
  now: readonly Taken[],
  inventories: readonly Inventory[],
): Newcomers[] {
  return inventories.flatMap(({ name, key, label, advice }) => {
    const before = saved.find(({ inventory }) => inventory === name);
    if (before === undefined) return [];
    const known = new Set(before.items.map((item) => JSON.stringify(item[key])));
    const present = now.filter(({ inventory }) => inventory === name).flatMap(({ items }) => items);
    const added = new Map<string, string>();
    for (const item of present) {
      const id = JSON.stringify(item[key]);
      if (!known.has(id)) added.set(id, String(item[label] ?? item[key]));
    }
    return added.size === 0 ? [] : [{ inventory: name, labels: [...added.values()], advice }];
  });
}

function parseItems(text: string): Item[] {
  const items: unknown = JSON.parse(text);
  const isItem = (item: unknown): item is Item => typeof item === 'object' && item !== null;
  if (Array.isArray(items) && items.every(isItem)) return items;
  throw new FailedError('it is no JSON array of objects');
}

import { readFile } from 'node:fs/promises';
import type { Inventory } from '../../deployment/backup-settings.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import { describeFailure } from '../../support/run-command.ts';
import type { Changes } from '../report.ts';
import { runWhereSaid } from '../run-where-said.ts';
import type { SourceJob } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';

/**
 * Saves the deployment file, so that whoever opens a snapshot on a bare machine learns what ran here, and the
 * inventories, which are compared after a restore.
 */
export async function storeDeployment(job: SourceJob): Promise<Changes> {
  const files = await StreamFiles.open(job);
  await files.storeBytes('deployment.yaml', await readFile(job.deployment.file));
  for (const inventory of job.deployment.backup?.inventories ?? []) {
    const list = await takeInventory(inventory, job);
    if (list !== undefined) await files.storeBytes(`inventories/${inventory.name}.json`, list);
  }
  return files.finish();
}

async function takeInventory(inventory: Inventory, job: SourceJob): Promise<Uint8Array | undefined> {
  const { signal } = job.context;
  try {
    const result = await runWhereSaid({ ...inventory, timeout: patience }, job, signal);
    if (result.status !== 0) throw new FailedError(describeFailure(result));
    requireObjects(JSON.parse(result.stdout), inventory);
    return Buffer.from(result.stdout);
  } catch (error) {
    signal.throwIfAborted();
    job.writer.fail(`inventory ${inventory.name}: ${messageOf(error)}`);
    return undefined;
  }
}

/** Seconds an inventory may take. */
const patience = 300;

function requireObjects(list: unknown, { key }: Inventory): void {
  const isItem = (item: unknown) => typeof item === 'object' && item !== null && key in item;
  if (!Array.isArray(list) || !list.every(isItem)) {
    throw new FailedError(`it printed no JSON array of objects with the key ${key}`);
  }
}

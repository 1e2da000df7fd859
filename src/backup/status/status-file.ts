import { dirname, join } from 'node:path';
import * as z from 'zod';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';
import { readSmallFile } from '../../support/small-file.ts';
import type { BackupStatus } from './status.ts';

/** Where the last run of a deployment is told of, for `backup status` and for monitoring. */
export function statusFile(deployment: string, stateDir: string): string {
  return join(stateDir, 'backup', deployment, 'status.json');
}

/** Far more than a status needs, in bytes. */
const sizeLimit = 1 << 20;

/** What the last run into this repository left; `undefined` when there was none, or it cannot be read. */
export async function readStatus(
  deployment: string,
  repository: string,
  stateDir: string,
): Promise<BackupStatus | undefined> {
  try {
    const text = readSmallFile(statusFile(deployment, stateDir), sizeLimit);
    const status = statusSchema.parse(JSON.parse(text.toString()));
    return status.repository === repository ? status : undefined;
  } catch {
    return undefined;
  }
}

/** In one step, durably. */
export async function writeStatus(status: BackupStatus, stateDir: string): Promise<void> {
  const path = statusFile(status.deployment, stateDir);
  await makeDirectoryDurably(dirname(path));
  await writeFileDurably(path, `${JSON.stringify(status, null, 2)}\n`);
}

const snapshotRecord = z.object({
  id: z.string(),
  started: z.string(),
  ended: z.string(),
  files: z.number(),
  bytes: z.number(),
  addedBytes: z.number(),
});

const statusSchema = z.object({
  deployment: z.string(),
  repository: z.string(),
  lastRun: z
    .object({
      started: z.string(),
      ended: z.string(),
      outcome: z.enum(['complete', 'incomplete', 'failed']),
      snapshot: z.string().nullable(),
      problem: z.string().nullable(),
    })
    .nullable(),
  lastComplete: snapshotRecord.nullable(),
  snapshots: z.object({ complete: z.number(), incomplete: z.number() }),
  lastVerified: z.object({ ended: z.string(), snapshot: z.string(), readData: z.boolean() }).nullable(),
});

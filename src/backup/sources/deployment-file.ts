import { createReadStream } from 'node:fs';
import type { SourceJob, SourceResult } from '../source-job.ts';
import { StreamFiles } from '../stream-files.ts';

/** Saves the deployment file: who opens a snapshot on a bare machine learns from it what ran here. */
export async function storeDeploymentFile(job: SourceJob): Promise<SourceResult> {
  const files = new StreamFiles(job);
  await files.store('deployment.yaml', createReadStream(job.deployment.file));
  return { changes: await files.finish(), complete: true };
}

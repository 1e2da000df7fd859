/**
 * Saves a directory into a fresh repository, then again unchanged, each in a process of its own, and verifies and reads
 * it back: `npm run bench -- repository DIR`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { Snapshot } from '../../src/repository/snapshot/snapshot.ts';
import { quietContext, saveDirectories } from '../../test/support/save-directory.ts';

const [directory, repositoryDirectory, step] = process.argv.slice(2) as [string, string?, string?];

if (repositoryDirectory === undefined || step === undefined) runAll();
else await runStep(repositoryDirectory, step);

function runAll(): void {
  const root = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
  try {
    for (const name of ['first', 'unchanged', 'unchanged', 'verify', 'verify-data', 'read']) {
      const begin = performance.now();
      const argv = [import.meta.filename, directory, join(root, 'repository'), name];
      const output = execFileSync(process.execPath, argv, { encoding: 'utf8' });
      console.log(
        `${name.padEnd(12)} ${((performance.now() - begin) / 1000).toFixed(2).padStart(7)} s  ${output.trim()}`,
      );
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function runStep(path: string, name: string): Promise<void> {
  const context = quietContext(join(path, '..', 'state'));
  const repository = await openOrCreateRepository(path, context);
  let said = '';
  if (name === 'verify') said = `${(await repository.verify({}, context)).damage.length} damages`;
  else if (name === 'verify-data')
    said = `${(await repository.verify({ readData: true }, context)).damage.length} damages`;
  else if (name === 'read')
    said = `${await readEverything(repository, await repository.find('latest'))} bytes`;
  else {
    const { added, sources } = await saveDirectories(repository, { files: directory }, context);
    said = `${sources[0]?.files} files, ${sources[0]?.bytes} bytes, added ${added.bytes}`;
  }
  await repository.close();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpu = ((userCPUTime + systemCPUTime) / 1e6).toFixed(2);
  console.log(`${cpu} s of processor, ${Math.round(maxRSS / 1024)} MiB at most: ${said}`);
}

async function readEverything(repository: Repository, snapshot: Snapshot): Promise<number> {
  let bytes = 0;
  for await (const entry of repository.entries(snapshot, 'files')) {
    for await (const piece of repository.content(snapshot, entry)) bytes += piece.length;
  }
  return bytes;
}

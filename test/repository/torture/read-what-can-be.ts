import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { DamagedError } from '../../../src/support/errors.ts';

/** The content of every file that can be read, by `source:path`. */
export async function readWhatCanBe(
  repository: Repository,
  snapshot: Snapshot,
): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const { name } of snapshot.sources) {
    for await (const entry of repository.entries(snapshot, name, () => {})) {
      try {
        const bytes = Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
        content.set(`${name}:${entry.path}`, bytes.toString('hex'));
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
      }
    }
  }
  return content;
}

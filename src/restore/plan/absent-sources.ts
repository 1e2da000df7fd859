import type { Source } from '../../deployment/backup-settings.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import { madeBy } from '../../repository/snapshot/origin.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { isWhole, type Snapshot } from '../../repository/snapshot/snapshot.ts';
import { formatMoment } from '../../support/quantities.ts';
import type { Chosen, Selection } from './select.ts';

/** What the deployment file declares and the snapshot does not have. */
export interface Absent {
  /** Of sources that were asked for, in words. */
  doubts: string[];
  skipped: Chosen['skipped'];
}

/**
 * Tells of every such source the newest snapshot that has it: a night without `--full` lies over every one with it, and
 * whoever restores `latest` expects all.
 */
export async function absentSources(
  snapshot: Snapshot,
  { only, full }: Selection,
  declared: readonly Source[],
  repository: ReadableRepository,
): Promise<Absent> {
  const absent = declared.filter((source) => !has(snapshot, source));
  if (only.length > 0 || absent.length === 0) return { doubts: [], skipped: [] };
  const all = madeBy(await repository.snapshots(), snapshot).filter(isWhole);
  const why = (source: Source) => {
    const holder = all.findLast((one) => has(one, source));
    const where = holder === undefined ? 'no other has it' : `${inWords(holder)} is the newest that has it`;
    return `not in this snapshot: ${where}`;
  };
  const isWanted = (source: Source) => full || !source.full;
  return {
    doubts: absent.filter(isWanted).map((source) => `${source.title} is ${why(source)}`),
    skipped: absent
      .filter((source) => !isWanted(source))
      .map((source) => ({
        name: source.name,
        title: source.title,
        reason: `only with --full, and ${why(source)}`,
      })),
  };
}

function has({ sources }: Snapshot, { name }: Source): boolean {
  return sources.some((source) => source.name === name);
}

function inWords({ id, started }: Snapshot): string {
  return `${shortId(id)} of ${formatMoment(started)}`;
}

import type { Source } from '../../deployment/backup-settings.ts';
import { readSourceFilter } from '../../deployment/source-filter.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { DockerctlError } from '../../support/errors.ts';
import { savedDeployment } from '../deployment-file/saved-deployment.ts';
import type { SelectedSource } from './select.ts';

/** The sources with what their backups leave out, and of which that is not known, in words. */
export interface Filtered {
  selected: SelectedSource[];
  doubts: string[];
}

/**
 * Adds to every source of files what its backups leave out, for what lives there of that is not replaced. A source that
 * the deployment file has no longer, as after it was given another name, left out what the file in the snapshot says.
 *
 * @param declared what the deployment file says now
 */
export async function withFilters(
  selected: readonly SelectedSource[],
  declared: readonly Source[],
  snapshot: Snapshot,
  repository: ReadableRepository,
): Promise<Filtered> {
  const filtered: Filtered = { selected: [], doubts: [] };
  const ofThen = async (name: string) =>
    readSourceFilter(await savedDeployment(repository, snapshot), name, snapshot.release);
  for (const source of selected) {
    const { name, title, kind } = source.summary;
    const said = declared.find((one) => one.name === name);
    if (said !== undefined && 'filter' in said) filtered.selected.push({ ...source, filter: said.filter });
    else if (said !== undefined || (kind !== 'paths' && kind !== 'volume')) filtered.selected.push(source);
    else {
      const filter = await ofThen(name).catch((error: unknown) => {
        if (!(error instanceof DockerctlError)) throw error;
        filtered.doubts.push(
          `${title}: nobody can tell what its backups left out, so what is there of that is replaced too`,
        );
        return undefined;
      });
      filtered.selected.push({ ...source, ...(filter && { filter }) });
    }
  }
  return filtered;
}

import { UsageError } from '../support/errors.ts';
import type { FileFilter } from './backup-settings.ts';
import { filterOf } from './build/backup.ts';
import { DeploymentDocument } from './document/document.ts';
import { sourceWithFilter } from './schema/backup.ts';

/**
 * What the backups of one source leave out, as a deployment file says that may be of another host or day: nothing else
 * of it is looked at, and no variable is known but the release.
 *
 * @throws {UsageError} when it does not say that, or not in itself
 */
export function readSourceFilter(
  { file, text }: { file: string; text: string },
  source: string,
  release: string | undefined,
): FileFilter {
  const path = ['x-dockerctl', 'backup', 'sources', source];
  const document = new DeploymentDocument(file, text);
  const located = document.resolve(path, (name) => (name === 'RELEASE' ? release : undefined));
  const written = sourceWithFilter.safeParse(located?.value);
  if (written.success) return filterOf(written.data);
  throw new UsageError(`${file} has no source ${source} of files`);
}

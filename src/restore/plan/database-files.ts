import { dirname, join, relative } from 'node:path/posix';
import { fileNameOf } from '../../databases/sqlite/file-name.ts';
import { FailedError } from '../../support/errors.ts';
import { isAtOrIn } from '../../support/path-containment.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { realPlace } from '../../support/real-place.ts';
import type { RestoreHost } from '../host.ts';
import { volumeMountpoint } from './ground.ts';
import type { SelectedSource } from './select.ts';

/**
 * Where the database files of a source are on this host: those of a service by what its container mounts.
 * @throws {FailedError} for one that is on nothing that outlives the container, or behind a link that leads out of the
 * mount
 */
export async function locateFiles(
  source: SelectedSource,
  { service, files }: NonNullable<SelectedSource['sqlite']>,
  host: RestoreHost,
): Promise<SelectedSource> {
  const located: { root: string; path: string }[] = [];
  const volumes: string[] = [];
  for (const file of files) {
    const found = service === undefined ? { path: file } : await seenFromHost(file, service, source, host);
    located.push({ root: fileNameOf(file), path: found.path });
    if (found.volume !== undefined) volumes.push(found.volume);
  }
  return { ...source, files: located, volumes };
}

async function seenFromHost(
  file: string,
  service: string,
  { summary }: SelectedSource,
  { engine, services }: RestoreHost,
): Promise<{ path: string; volume?: string }> {
  for (let target = file; ; target = dirname(target)) {
    const mounted = await services.mountedAt(service, target);
    if (mounted !== undefined) {
      const volume = 'volume' in mounted ? mounted.volume : undefined;
      const base =
        'volume' in mounted ? await volumeMountpoint(mounted.volume, engine) : toText(mounted.directory);
      const path = join(base, relative(target, file));
      refuseLeading(path, base, summary.title);
      return { path, ...(volume !== undefined && { volume }) };
    }
    if (target === '/') break;
  }
  throw new FailedError(`restoring ${summary.title}: ${service} keeps ${file} on no volume of its own`, {
    advice: `Mount a volume or a directory at ${dirname(file)} in the deployment file`,
  });
}

/** A container decides what links are in its volumes. */
function refuseLeading(path: string, base: string, title: string): void {
  if (path === base) return;
  const [directory, inside] = [realPlace(dirname(path)), realPlace(base)];
  if (isAtOrIn(directory, inside)) return;
  throw new FailedError(`restoring ${title}: a link leads from ${dirname(path)} to ${directory}`);
}

import type { Command } from 'commander';
import type { ReleaseRecord } from '../../../releases/catalog/catalog.ts';
import { formatBytes, formatTime } from '../../../support/quantities.ts';
import { catalogOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import type { Wrap } from '../../program.ts';
import { renderTable } from '../../render/table.ts';

export function addImagesList(images: Command, wrap: Wrap): void {
  images.command('list').description('list the releases this host knows and their images').action(wrap(list));
}

async function list(session: Session): Promise<undefined> {
  const catalog = await catalogOf(session);
  const { release } = session.global;
  const releases = release === undefined ? await catalog.releases() : [await catalog.find(release)];
  session.result(releases, renderReleases);
}

function renderReleases(releases: readonly ReleaseRecord[]): string {
  const rows = releases.flatMap(({ release, loaded, images }) =>
    images.map(({ references, config, layers }) => [
      release,
      references.join(', ') || config,
      formatBytes(layers.reduce((sum, { size }) => sum + size, 0)),
      formatTime(new Date(loaded)),
    ]),
  );
  return renderTable(['RELEASE', 'IMAGE', 'SIZE', 'LOADED'], rows);
}

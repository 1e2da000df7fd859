import type { Command } from 'commander';
import type { ReleaseDiff } from '../../../releases/catalog/diff.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import { catalogOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderTable } from '../../render/table.ts';

export function addImagesDiff(images: Command, wrap: Wrap): void {
  images
    .command('diff <from> <to>')
    .description('tell which images and layers lie between two releases')
    .action(wrap(diff));
}

async function diff(session: Session, { args: [from, to] }: ParsedInput): Promise<undefined> {
  const { diffReleases } = await import('../../../releases/catalog/diff.ts');
  const catalog = await catalogOf(session);
  session.result(diffReleases(await catalog.find(from), await catalog.find(to)), renderDiff);
}

function renderDiff({ images, layers }: ReleaseDiff): string {
  const rows = (['added', 'removed', 'changed', 'unchanged'] as const).flatMap((change) =>
    images[change].map((name) => [change, name]),
  );
  const sums = (['added', 'removed', 'shared'] as const).map(
    (change) => `${count(layers[change].count, 'layer')} ${change} (${formatBytes(layers[change].bytes)})`,
  );
  return `${renderTable(['', 'IMAGE'], rows)}\n${sums.join(', ')}`;
}

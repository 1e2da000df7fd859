import type { Command } from 'commander';
import type { SnapshotDifference, UncomparedPart } from '../../../backup/browse/compare-snapshots.ts';
import type { Difference } from '../../../backup/browse/compare-trees.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import {
  identityOption,
  openBackupRepository,
  repositoryOption,
  snapshotNames,
} from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { type ItemRendering, printList } from '../../render/list.ts';
import { formatMode } from '../../render/mode.ts';
import { printable } from '../../render/table.ts';

export function addBackupDiff(backup: Command, wrap: Wrap): void {
  backup
    .command('diff <before> <after>')
    .description('list what differs between two snapshots')
    .addHelpText(
      'after',
      '\n+ added, - removed, T of another type, M with other content, m with other attributes only, which are told:' +
        '\nmode, owner, time, extended attributes (ACLs and capabilities among them).',
    )
    .option(...repositoryOption)
    .option(...identityOption)
    .addHelpText('after', snapshotNames)
    .action(wrap(compare));
}

async function compare(session: Session, { args: [before, after], options }: ParsedInput): Promise<number> {
  const [{ compareSnapshots }, { describeRange }, rendering] = await Promise.all([
    import('../../../backup/browse/compare-snapshots.ts'),
    import('../../../repository/tree/path-range.ts'),
    renderingOf(),
  ]);
  let status: number = exitCodes.done;
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const [old, now] = await Promise.all([repository.find(before), repository.find(after)]);
    const { progress, signal } = session.context;
    const tell = ({ snapshot, source, error, ...range }: UncomparedPart) => {
      status = exitCodes.damaged;
      const lost = `${source.name}:${describeRange(range)} of snapshot ${shortId(snapshot.id)}`;
      progress.warn(`cannot compare ${lost}: ${error.message}`);
    };
    const differences = compareSnapshots(repository, old, now, tell, signal);
    await printList(session, differences, rendering);
    return status;
  } finally {
    await repository.close();
  }
}

async function renderingOf(): Promise<ItemRendering<SnapshotDifference>> {
  const { fileNameOf } = await import('../../../backup/browse/file-name.ts');
  return {
    line: ({ source, ...difference }) => {
      const name = printable(fileNameOf(source, difference));
      return `${signs[difference.change]} ${name}${renderAttributes(difference)}`;
    },
    json: ({ source, change, path, attributes }) => ({
      source: source.name,
      file: fileNameOf(source, { path }),
      change,
      attributes,
    }),
  };
}

const signs = { added: '+', removed: '-', type: 'T', content: 'M', attributes: 'm' } as const;

/** Behind the name. Other content comes with another time, which tells nobody anything. */
function renderAttributes({ change, attributes, before, after }: Difference): string {
  if (before === undefined || after === undefined) return '';
  const told = attributes.filter((attribute) => change === 'attributes' || attribute !== 'time');
  const words = told.map((attribute) => {
    if (attribute === 'mode') return `mode ${formatMode(before.mode)} to ${formatMode(after.mode)}`;
    if (attribute === 'owner') return `owner ${before.uid}:${before.gid} to ${after.uid}:${after.gid}`;
    return attribute === 'time' ? 'time' : 'extended attributes';
  });
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

import type { Command } from 'commander';
import type { ListedFile } from '../../../backup/browse/list-files.ts';
import type { Entry } from '../../../repository/entry.ts';
import { formatTime } from '../../../support/quantities.ts';
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
import { formatMode, formatPermissions } from '../../render/mode.ts';
import { printable } from '../../render/table.ts';

export function addBackupLs(backup: Command, wrap: Wrap): void {
  backup
    .command('ls <snapshot> [place]')
    .description('list the files of a snapshot, or of a place in it: SOURCE, SOURCE:PATH or /PATH')
    .option('-l, --long', 'with mode, owner, size and time')
    .option(...repositoryOption)
    .option(...identityOption)
    .addHelpText('after', snapshotNames)
    .action(wrap(listSnapshot));
}

async function listSnapshot(
  session: Session,
  { args: [name, place], options }: ParsedInput,
): Promise<number> {
  const [{ existing, listFiles }, { describeRange }, rendering] = await Promise.all([
    import('../../../backup/browse/list-files.ts'),
    import('../../../repository/tree/path-range.ts'),
    renderingOf(Boolean(options.long)),
  ]);
  const repository = await openBackupRepository(session, options.repository, options.identity);
  let status: number = exitCodes.done;
  try {
    const snapshot = await repository.find(name);
    const files = listFiles(repository, snapshot, place, ({ source, error, ...range }) => {
      status = exitCodes.damaged;
      const lost = `cannot list ${source.name}:${describeRange(range)}: ${error.message}`;
      session.context.progress.warn(lost);
    });
    const listed = place === undefined ? files : existing(files, snapshot, place);
    await printList(session, listed, rendering);
    return status;
  } finally {
    await repository.close();
  }
}

async function renderingOf(isLong: boolean): Promise<ItemRendering<ListedFile>> {
  const [{ fileNameOf }, { fromText, toText }] = await Promise.all([
    import('../../../backup/browse/file-name.ts'),
    import('../../../support/posix/byte-path.ts'),
  ]);
  return {
    line({ source, entry }) {
      const link = entry.target === undefined ? '' : ` -> ${toText(entry.target)}`;
      const path = printable(fileNameOf(source, entry) + (isLong ? link : ''));
      return isLong ? `${long(entry)}  ${path}` : path;
    },
    json: ({ source, entry }) => ({
      source: source.name,
      path: toText(entry.path),
      ...(fromText(toText(entry.path)) === entry.path ? {} : { path64: base64(entry.path) }),
      ...described(entry),
    }),
  };
}

function base64(path: string): string {
  return Buffer.from(path, 'latin1').toString('base64');
}

function described({ type, mode, uid, gid, size, mtime }: Entry) {
  return { type, mode: formatMode(mode), uid, gid, size, mtime: String(mtime) };
}

function long({ type, mode, uid, gid, size = 0, mtime }: Entry): string {
  const time = renderTime(mtime);
  return `${letters[type]}${formatPermissions(mode)} ${`${uid}:${gid}`.padStart(11)} ${String(size).padStart(12)} ${time}`;
}

/** A time that no calendar counts is told as seconds since 1970, as `touch -d` takes it. */
function renderTime(mtime: bigint): string {
  const time = new Date(Number(mtime / 1_000_000n));
  return Number.isNaN(time.getTime()) ? `@${mtime / 1_000_000_000n}` : formatTime(time);
}

const letters = { file: '-', directory: 'd', symlink: 'l', fifo: 'p', character: 'c', block: 'b' } as const;

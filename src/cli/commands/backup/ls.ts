import type { Command } from 'commander';
import type { ListedFile } from '../../../backup/browse/list-files.ts';
import type { Entry } from '../../../repository/entry.ts';
import { identityOption, openBackupRepository, repositoryOption } from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printList } from '../../render/list.ts';
import { formatTime } from '../../render/quantities.ts';
import { printable } from '../../render/table.ts';

export function addBackupLs(backup: Command, wrap: Wrap): void {
  backup
    .command('ls <snapshot> [place]')
    .description('list the files of a snapshot, or of a place in it: SOURCE, SOURCE:PATH or /PATH')
    .option('-l, --long', 'with mode, owner, size and time')
    .option(...repositoryOption)
    .option(...identityOption)
    .action(wrap(listSnapshot));
}

async function listSnapshot(
  session: Session,
  { args: [name, place], options }: ParsedInput,
): Promise<number> {
  const [{ existing, listFiles }, { fileNameOf }, { describeRange }, { fromText, toText }] =
    await Promise.all([
      import('../../../backup/browse/list-files.ts'),
      import('../../../backup/browse/file-name.ts'),
      import('../../../repository/tree/path-range.ts'),
      import('../../../support/posix/byte-path.ts'),
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
    await printList(session, place === undefined ? files : existing(files, snapshot, place), {
      line({ source, entry }) {
        const link = entry.target === undefined ? '' : ` -> ${toText(entry.target)}`;
        const path = printable(fileNameOf(source, entry) + (options.long ? link : ''));
        return options.long ? `${long(entry)}  ${path}` : path;
      },
      json: ({ source, entry }: ListedFile) => ({
        source: source.name,
        path: toText(entry.path),
        ...(fromText(toText(entry.path)) === entry.path ? {} : { path64: base64(entry.path) }),
        ...described(entry),
      }),
    });
    return status;
  } finally {
    await repository.close();
  }
}

function base64(path: string): string {
  return Buffer.from(path, 'latin1').toString('base64');
}

function described({ type, mode, uid, gid, size, mtime }: Entry) {
  return { type, mode: mode.toString(8).padStart(4, '0'), uid, gid, size, mtime: String(mtime) };
}

function long({ type, mode, uid, gid, size = 0, mtime }: Entry): string {
  const time = formatTime(new Date(Number(mtime / 1_000_000n)));
  return `${letters[type]}${permissions(mode)} ${`${uid}:${gid}`.padStart(11)} ${String(size).padStart(12)} ${time}`;
}

const letters = { file: '-', directory: 'd', symlink: 'l', fifo: 'p', character: 'c', block: 'b' } as const;

/** As ls(1) writes them: setuid, setgid and sticky stand in the place of `x`, capital where that is missing. */
function permissions(mode: number): string {
  return [6, 3, 0]
    .map((shift, i) => {
      const bits = (mode >> shift) & 7;
      const special = (mode >> (11 - i)) & 1;
      const letter = i === 2 ? 't' : 's';
      const execute = special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-';
      return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${execute}`;
    })
    .join('');
}

import type { Extract, Header } from 'tar-stream';
import type { FileFilter } from '../../deployment/backup-settings.ts';
import type { Entry } from '../../repository/entry.ts';
import type { Changes } from '../report.ts';
import { ArchiveFilter } from './archive-filter.ts';
import { PreviousFiles } from './previous-files.ts';
import type { ProblemLog } from './problem-log.ts';
import type { SourceJob } from './source-job.ts';

/**
 * Saves a tar as the engine makes it: one directory, in the order of a walk. An entry whose times, size and content are
 * what they were stays the same line of the tree.
 * @param archive of `extractBytes`: with one character per byte, as everything in a tree
 */
export async function storeArchive(
  archive: Extract,
  lists: FileFilter,
  problems: ProblemLog,
  { writer, task }: Pick<SourceJob, 'writer' | 'task'>,
): Promise<Changes> {
  const previous = new PreviousFiles(writer.previous());
  const filter = new ArchiveFilter(lists);
  const changes: Changes = { added: 0, changed: 0, removed: 0 };
  const add = async (entry: Entry) => {
    while (previous.endsBefore(entry.path)) await previous.readOn();
    const before = previous.take(entry.path);
    if (before?.entry !== undefined && lineOf(before.entry) === lineOf(entry)) return writer.keep(before);
    changes[before === undefined ? 'added' : 'changed']++;
    return writer.add(entry);
  };
  const nodes = new Map<string, Entry>();
  for await (const part of archive) {
    task.advance(part.header.size ?? 0);
    const entry = named(describe(part, problems), nodes);
    const taken = entry === undefined ? [] : filter.take(entry, problems);
    for (const one of taken) await add(one === entry ? await withContent(one, part, writer) : one);
    part.resume();
  }
  await previous.finish();
  return { ...changes, removed: previous.removed };
}

type TarPart = Extract extends AsyncIterable<infer Part> ? Part : never;

const types: Record<string, Entry['type']> = {
  file: 'file',
  'contiguous-file': 'file',
  link: 'file',
  symlink: 'symlink',
  directory: 'directory',
  fifo: 'fifo',
  'character-device': 'character',
  'block-device': 'block',
};

/** `undefined` for what cannot be saved, which the log then knows. */
function describe({ header }: TarPart, problems: ProblemLog): Entry | undefined {
  const { name, mode = 0, uid = 0, gid = 0, size = 0, linkname, devmajor = 0, devminor = 0 } = header;
  const path = pathIn(name);
  const type = types[header.type ?? ''];
  if (type === undefined) {
    problems.unreadable(path, 'ENOTSUP');
    return undefined;
  }
  const xattrs = xattrsOf(header.pax);
  const entry: Entry = { path, type, mode: mode & 0o7777, uid, gid, mtime: timeOf(header) };
  if (header.type === 'link') entry.hardlink = pathIn(linkname ?? '');
  else if (type === 'file') entry.size = size;
  if (type === 'symlink') entry.target = linkname ?? '';
  if (type === 'character' || type === 'block') entry.device = { major: devmajor, minor: devminor };
  if (Object.keys(xattrs).length > 0) entry.xattrs = xattrs;
  return entry;
}

/**
 * A tar does not tell of which kind a further name is: it may be of a symbolic link, a FIFO or a device.
 * @param nodes those that have come, by their first name
 */
function named(entry: Entry | undefined, nodes: Map<string, Entry>): Entry | undefined {
  if (entry === undefined || entry.type === 'directory') return entry;
  if (entry.hardlink === undefined) {
    if (entry.type !== 'file') nodes.set(entry.path, entry);
    return entry;
  }
  const { type, target, device } = nodes.get(entry.hardlink) ?? entry;
  return { ...entry, type, ...(target !== undefined && { target }), ...(device && { device }) };
}

/** The first part of every name is the directory that was asked for. */
function pathIn(name: string): string {
  const inside = name.replace(/^(\.\/)?[^/]*\/?/, '').replace(/\/$/, '');
  return inside === '' ? '.' : inside;
}

function timeOf({ mtime, pax }: Header): bigint {
  const exact = /^(-?\d+)(?:\.(\d+))?$/.exec((pax as Record<string, string> | null)?.mtime ?? '');
  if (exact === null) return BigInt(mtime?.getTime() ?? 0) * 1_000_000n;
  const [, seconds, fraction = ''] = exact;
  return BigInt(`${seconds}${fraction.padEnd(9, '0').slice(0, 9)}`); // The sign is that of both.
}

const xattrPrefix = 'SCHILY.xattr.';

function xattrsOf(pax: Header['pax']): Record<string, Uint8Array> {
  const found = Object.entries((pax ?? {}) as Record<string, string>).filter(([key]) =>
    key.startsWith(xattrPrefix),
  );
  return Object.fromEntries(
    found.map(([key, value]) => [key.slice(xattrPrefix.length), Buffer.from(value, 'latin1')]),
  );
}

async function withContent(entry: Entry, part: TarPart, writer: SourceJob['writer']): Promise<Entry> {
  if (entry.type !== 'file' || entry.hardlink !== undefined) return entry;
  return { ...entry, ...(await writer.storeStream(part as AsyncIterable<Uint8Array>)) };
}

function lineOf({ xattrs = {}, mtime, inode: _, ctime: __, ...entry }: Entry): string {
  const attributes = Object.entries(xattrs).map(([name, value]) => [
    name,
    Buffer.from(value).toString('hex'),
  ]);
  return JSON.stringify([String(mtime), attributes.sort(), Object.entries(entry).sort()]);
}

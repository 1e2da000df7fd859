import { constants } from 'node:fs';
import { chmod, link, lstat, mkdir, open, rm, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Extract, Header } from 'tar-stream';
import { DamagedError, DockerctlError, FailedError, messageOf } from '../../support/errors.ts';
import { fromText, toFsPath, toText } from '../../support/posix/byte-path.ts';
import { extractBytes } from '../../support/tar/extract-bytes.ts';

/**
 * Unpacks a container's tar so that its one root becomes `target`. The container may be hostile: no entry leaves
 * `target`, no link that came with it is followed on the way, and set-id bits are dropped. Names may be of any bytes.
 * Files belong to whoever copies.
 *
 * @throws DamagedError when an entry would leave `target`
 */
export async function unpackInto(tar: Readable, target: string, signal: AbortSignal): Promise<void> {
  const entries = extractBytes();
  const fed = pipeline(tar, entries, { signal });
  fed.catch(() => {});
  try {
    await unpack(entries, fromText(target));
    await fed;
  } catch (error) {
    entries.destroy();
    signal.throwIfAborted();
    if (error instanceof DockerctlError) throw error;
    throw new FailedError(`copying to ${target}: ${messageOf(error)}`, { facts: { target }, cause: error });
  }
}

/** From here on every path has one character per byte. */
async function unpack(entries: Extract, target: string): Promise<void> {
  const directories: { path: string; header: Header }[] = [];
  for await (const entry of entries) {
    const header = entry.header;
    const path = placeOf(header.name, target);
    await checkParents(path, target);
    if (header.type === 'directory') directories.push({ path, header });
    await write(header, entry as unknown as Readable, path, target);
    entry.resume();
  }
  // Only now: a directory without write permission could not have been filled.
  for (const { path, header } of directories.reverse()) await setModeAndTime(path, header);
}

/** The root's own name is replaced by the target. */
function placeOf(name: string, target: string): string {
  const [, ...parts] = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.startsWith('../') || name.includes('\0')) throw leaves(name, target);
  return join(target, ...parts);
}

function leaves(name: string, target: string): DamagedError {
  const [where, entry] = [toText(target), toText(name)];
  return new DamagedError(`copying to ${where}: the entry ${JSON.stringify(entry)} would leave it`, {
    facts: { target: where, entry },
  });
}

/** Every directory between the target and the entry must be one, not a link to one. */
async function checkParents(path: string, target: string): Promise<void> {
  for (let parent = dirname(path); parent.length >= target.length; parent = dirname(parent)) {
    const status = await lstat(toFsPath(parent)).catch(() => undefined);
    if (status !== undefined && !status.isDirectory()) throw leaves(path, target);
  }
}

async function write(
  { type, ...header }: Header,
  content: Readable,
  path: string,
  target: string,
): Promise<void> {
  switch (type) {
    case 'directory':
      return makeDirectory(path);
    case 'file':
    case 'contiguous-file':
      return writeFile(path, header, content);
    case 'symlink':
      await remove(path);
      return symlink(toFsPath(header.linkname ?? ''), toFsPath(path));
    case 'link': {
      const original = placeOf(header.linkname ?? '', target);
      await checkParents(original, target);
      if (!(await lstat(toFsPath(original))).isFile()) throw leaves(header.linkname ?? '', target);
      await remove(path);
      return link(toFsPath(original), toFsPath(path));
    }
    default:
      throw new FailedError(`copying to ${toText(path)}: it is a ${type}, which is not copied`, {
        advice: 'Copy the directories and files beside it one by one',
      });
  }
}

async function makeDirectory(path: string): Promise<void> {
  const status = await lstat(toFsPath(path)).catch(() => undefined);
  if (status?.isDirectory()) return;
  await remove(path);
  await mkdir(toFsPath(path), { mode: 0o700 });
}

async function remove(path: string): Promise<void> {
  await rm(toFsPath(path), { force: true });
}

/** A new file in the place of the old one, never through a link that stands there. */
async function writeFile(path: string, header: Omit<Header, 'type'>, content: Readable): Promise<void> {
  await remove(path);
  const file = await open(toFsPath(path), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  await pipeline(content, file.createWriteStream());
  await setModeAndTime(path, header);
}

async function setModeAndTime(
  path: string,
  { mode = 0o600, mtime }: Pick<Header, 'mode' | 'mtime'>,
): Promise<void> {
  await chmod(toFsPath(path), mode & 0o777);
  if (mtime !== undefined) await utimes(toFsPath(path), mtime, mtime);
}

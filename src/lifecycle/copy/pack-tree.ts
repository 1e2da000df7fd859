import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FailedError } from '../../support/errors.ts';
import { fromText, toFsPath, toText } from '../../support/posix/byte-path.ts';
import { type TarHeader, tarEnd, tarHeader, tarPadding } from '../../support/tar/writer.ts';

/**
 * A tar of the file or directory `source`, under the name `name`, with all names as they are, byte by byte. Links stay
 * links; sockets and devices stay behind.
 */
export function packTree(source: string, name: string, signal: AbortSignal): Readable {
  return Readable.from(packed(fromText(source), fromText(name), signal), { objectMode: false });
}

async function* packed(path: string, name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* entriesAt(path, name, signal);
  yield tarEnd;
}

async function* entriesAt(path: string, name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  const status = await lstat(toFsPath(path));
  const about = metadataOf(status);
  if (status.isFile()) {
    yield tarHeader({ ...about, name, type: 'file', size: status.size });
    yield* contentOf(path, status.size, signal);
  } else if (status.isSymbolicLink()) {
    const linkname = await readlink(toFsPath(path), 'latin1');
    yield tarHeader({ ...about, name, type: 'symlink', linkname });
  } else if (status.isDirectory()) {
    yield tarHeader({ ...about, name: `${name}/`, type: 'directory' });
    for (const child of (await readdir(toFsPath(path), 'latin1')).sort())
      yield* entriesAt(`${path}/${child}`, `${name}/${child}`, signal);
  }
}

function metadataOf({ mode, uid, gid, mtimeMs }: Stats): Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'mtime'> {
  return { mode: mode & 0o7777, uid, gid, mtime: Math.floor(mtimeMs / 1000) };
}

/** A file that grows meanwhile is copied as long as it was. */
async function* contentOf(path: string, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let left = size;
  const pieces: AsyncIterable<Buffer> | [] =
    size === 0 ? [] : createReadStream(toFsPath(path), { end: size - 1, signal });
  for await (const piece of pieces) {
    left -= piece.length;
    yield piece;
  }
  if (left > 0) {
    const what = `copying ${toText(path)}: it became shorter meanwhile`;
    throw new FailedError(what, { advice: 'Copy it again' });
  }
  yield tarPadding(size);
}

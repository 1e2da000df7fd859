import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';

/**
 * A tar of the file or directory `source`, under the name `name`. Links stay links; sockets and devices stay behind.
 */
export function packTree(source: string, name: string, signal: AbortSignal): Readable {
  const tar = pack();
  add(tar, source, name, signal).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  );
  return tar as unknown as Readable;
}

async function add(tar: Pack, path: string, name: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const status = await lstat(path);
  const header: Partial<Header> & { name: string } = {
    name,
    mode: status.mode & 0o7777,
    mtime: status.mtime,
    uid: status.uid,
    gid: status.gid,
  };
  if (status.isFile()) return addFile(tar, path, { ...header, size: status.size }, signal);
  if (status.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: await readlink(path) });
  if (!status.isDirectory()) return;
  tar.entry({ ...header, type: 'directory' });
  for (const child of (await readdir(path)).sort())
    await add(tar, join(path, child), `${name}/${child}`, signal);
}

/** A file that grows meanwhile is copied as long as it was. */
async function addFile(
  tar: Pack,
  path: string,
  header: Partial<Header> & { name: string; size: number },
  signal: AbortSignal,
) {
  const entry = tar.entry(header);
  if (header.size === 0) {
    entry.end(Buffer.alloc(0));
    return;
  }
  await pipeline(createReadStream(path, { end: header.size - 1 }), entry, { signal });
}

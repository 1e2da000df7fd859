import { type BigIntStats, constants, openSync } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { InterruptedError, NotFoundError, UsageError } from '../support/errors.ts';
import type { SeekableBytes } from './byte-source.ts';
import { readMedium, unreadable } from './medium.ts';
import { openingFailed } from './opening-failed.ts';
import { openVolumes } from './volumes/reader.ts';
import { groupVolumes, type VolumeSet } from './volumes/set.ts';

/**
 * Where an archive comes from: a path (a file or a FIFO), a stream with a name for messages (`-` for stdin), or the
 * volumes of a split set.
 */
export type ArchiveInput = string | { name: string; stream: Readable } | VolumeSet;

/**
 * Puts paths of volumes together to the archives they are parts of; everything else stays as it is. The name that a set
 * was saved under stands for the set.
 * @throws {NotFoundError} when there is no such file, or a volume of a set is missing
 */
export async function groupInputs(inputs: readonly ArchiveInput[]): Promise<ArchiveInput[]> {
  const paths = await Promise.all(inputs.filter((input) => typeof input === 'string').map(pathThere));
  const others = inputs.filter((input) => typeof input !== 'string');
  return [...(await groupVolumes(paths)), ...others];
}

/** Whether it is a file, or files, and not a FIFO or a stream. */
export async function canBeReadAgain(input: ArchiveInput): Promise<boolean> {
  return typeof input === 'string' ? (await stat(input)).isFile() : 'volumes' in input;
}

async function pathThere(path: string): Promise<string> {
  const failure = await stat(path).then(
    () => undefined,
    (error: unknown) => openingFailed(path, error),
  );
  if (failure === undefined) return path;
  const firstVolume = `${path}.001`;
  const found = failure instanceof NotFoundError && (await stat(firstVolume).catch(() => undefined));
  if (found) return firstVolume;
  throw failure;
}

/** An opened input, the bytes as they lie on the medium. */
export interface OpenInput {
  name: string;
  /** Of a regular file, in bytes; streams do not say. */
  size: number | undefined;
  /** At any offset; `undefined` for what can be read only once. */
  seekable: SeekableBytes | undefined;
  /** Of a file: changes whenever the file does. */
  identity?: string | undefined;
  /** From the beginning to the end; only once unless it is seekable. */
  stream(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

const readSize = 1 << 20;

/**
 * Opens it without reading a byte, or waiting for who writes into a FIFO.
 * @param options.signal ends the wait for bytes that do not come
 * @param options.now tells how old a file is; without it none has an identity
 * @throws {NotFoundError} when there is no such file
 * @throws {UsageError} for a directory, or a file that may not be read
 */
export async function openInput(
  input: ArchiveInput,
  { signal, now }: { signal?: AbortSignal | undefined; now?: (() => Date) | undefined } = {},
): Promise<OpenInput> {
  if (typeof input !== 'string') {
    return 'volumes' in input ? await openVolumes(input) : streamInput(input.name, input.stream, signal);
  }
  const file = await openPath(input).catch((error: unknown) => {
    throw openingFailed(input, error);
  });
  if (file instanceof Socket) return streamInput(input, file, signal);
  const found = await file.stat({ bigint: true });
  if (found.isDirectory()) {
    await file.close();
    throw new UsageError(`${input}: is a directory, not an image archive`, {
      advice: await archivesIn(input),
    });
  }
  if (found.isFile()) return fileInput(input, file, found, now && identityOf(found, now()));
  return streamInput(input, file.createReadStream({ highWaterMark: readSize }), signal);
}

/** What may have been meant by a directory. */
async function archivesIn(directory: string): Promise<string> {
  const names = (await readdir(directory).catch(() => [])).sort();
  if (names.includes('oci-layout'))
    return `It is an image layout: tar -C ${directory} -c . | dockerctl images load -`;
  const archives = names.filter((name) => /\.(tar|tgz|tar\.\w+)(\.\d{3,})?$/.test(name));
  if (archives.length === 0) return 'Name the archive itself; none in there is called .tar';
  const more = archives.length > 3 ? ` and ${archives.length - 3} more` : '';
  return `In it are ${archives.slice(0, 3).join(', ')}${more}`;
}

/** Opened the usual way, a FIFO that nobody writes into would hold a thread that no signal ends. */
async function openPath(path: string): Promise<FileHandle | Socket> {
  const found = await stat(path);
  if (!found.isFIFO()) return await open(path, 'r');
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

function fileInput(
  name: string,
  file: FileHandle,
  found: BigIntStats,
  identity: string | undefined,
): OpenInput {
  const size = Number(found.size);
  const seekable: SeekableBytes = { size, range: (offset, length) => readRange(file, name, offset, length) };
  return {
    name,
    size,
    seekable,
    identity,
    stream: () => readRange(file, name, 0, size),
    close: () => file.close().catch(() => {}), // It was only read.
  };
}

/** A file that was touched just now may be changed again within the same tick of the file system's clock. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats, now: Date): string | undefined {
  const age = now.getTime() - Number(ctimeNs / 1_000_000n);
  return age > 2000 ? [dev, ino, size, mtimeNs, ctimeNs].join(':') : undefined;
}

async function* readRange(
  file: FileHandle,
  name: string,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (let left = length, at = offset; left > 0; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(readSize, left));
    const bytesRead = await readMedium(file, name, buffer, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function streamInput(name: string, stream: Readable, signal: AbortSignal | undefined): OpenInput {
  const interrupt = () => {
    stream.destroy(new InterruptedError(`reading ${name} was interrupted`, { cause: signal?.reason }));
  };
  signal?.addEventListener('abort', interrupt);
  if (signal?.aborted) interrupt();
  // Whoever reads gets the error; until then it is nobody's.
  stream.on('error', () => {});
  return {
    name,
    size: undefined,
    seekable: undefined,
    stream: () => piecesOf(stream, name),
    async close() {
      signal?.removeEventListener('abort', interrupt);
      stream.destroy();
    },
  };
}

async function* piecesOf(stream: Readable, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unreadable(name, error);
  }
}

import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { codeOf, NotFoundError, UsageError } from '../support/errors.ts';
import type { SeekableBytes } from './byte-source.ts';
import { groupVolumes, openVolumes, type VolumeSet } from './volume-set.ts';

/**
 * Where an archive comes from: a path (a file or a FIFO), a stream with a name for messages (`-` for stdin), or the
 * volumes of a split set.
 */
export type ArchiveInput = string | { name: string; stream: Readable } | VolumeSet;

/** Puts paths of volumes together to the archives they are parts of; everything else stays as it is. */
export async function groupInputs(inputs: readonly ArchiveInput[]): Promise<ArchiveInput[]> {
  const paths = inputs.filter((input) => typeof input === 'string');
  const others = inputs.filter((input) => typeof input !== 'string');
  return [...(await groupVolumes(paths)), ...others];
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
 * Opens it without reading a byte.
 * @throws {NotFoundError} when there is no such file
 * @throws {UsageError} for a directory, or a file that may not be read
 */
export async function openInput(input: ArchiveInput): Promise<OpenInput> {
  if (typeof input !== 'string') {
    return 'volumes' in input ? await openVolumes(input) : streamInput(input.name, input.stream);
  }
  const file = await open(input, 'r').catch((error: unknown) => {
    throw openingFailed(input, error);
  });
  const stat = await file.stat({ bigint: true });
  if (stat.isDirectory()) {
    await file.close();
    throw new UsageError(`${input}: is a directory, not an image archive`);
  }
  return stat.isFile() ? fileInput(input, file, stat) : fifoInput(input, file);
}

/** Tells `onRead` of every byte that passes. */
export async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    onRead(piece.length);
    yield piece;
  }
}

function fileInput(name: string, file: FileHandle, stat: BigIntStats): OpenInput {
  const size = Number(stat.size);
  const seekable: SeekableBytes = { size, range: (offset, length) => readRange(file, offset, length) };
  return {
    name,
    size,
    seekable,
    identity: identityOf(stat),
    stream: () => readRange(file, 0, size),
    close: () => file.close(),
  };
}

/** A file that was touched just now may be changed again within the same tick of the file system's clock. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string | undefined {
  const age = Date.now() - Number(ctimeNs / 1_000_000n);
  return age > 2000 ? [dev, ino, size, mtimeNs, ctimeNs].join(':') : undefined;
}

async function* readRange(file: FileHandle, offset: number, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length, at = offset; left > 0; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(readSize, left));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function fifoInput(name: string, file: FileHandle): OpenInput {
  const stream = file.createReadStream({ highWaterMark: readSize });
  return streamInput(name, stream);
}

function streamInput(name: string, stream: Readable): OpenInput {
  return {
    name,
    size: undefined,
    seekable: undefined,
    stream: () => stream as AsyncIterable<Uint8Array>,
    async close() {
      stream.destroy();
    },
  };
}

function openingFailed(path: string, error: unknown): Error {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new NotFoundError(`${path}: there is no such file`, { cause: error });
  return new UsageError(`${path}: cannot be read (${code ?? String(error)})`, { cause: error });
}

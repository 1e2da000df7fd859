import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { DamagedError } from '../../support/errors.ts';
import { readMedium } from '../medium.ts';
import { volumeHeaderSize } from './header.ts';
import type { Volume, VolumeSet } from './set.ts';

/** The archive in the volumes of a set, read where they lie. */
export interface OpenVolumes {
  name: string;
  size: number;
  /** Bytes at any offset, not verified. */
  seekable: { size: number; range(offset: number, length: number): AsyncGenerator<Uint8Array> };
  /**
   * From the beginning to the end.
   * @throws {DamagedError} at the end of a volume whose payload is not what its header says
   */
  stream(): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** Opens every volume of a set. Whoever opened them closes them. */
export async function openVolumes(set: VolumeSet): Promise<OpenVolumes> {
  const files: FileHandle[] = [];
  const close = async () => {
    for (const file of files) await file.close();
  };
  try {
    for (const { path } of set.volumes) files.push(await open(path, 'r'));
  } catch (error) {
    await close();
    throw error;
  }
  const seekable = {
    size: set.size,
    range: (offset: number, length: number) => readRange(set.volumes, files, offset, length),
  };
  return { name: set.name, size: set.size, seekable, stream: () => readVerified(set.volumes, files), close };
}

/**
 * Reads every volume of a set.
 * @throws {DamagedError} naming the first whose payload is not what its header says
 */
export async function verifyVolumes(set: VolumeSet): Promise<void> {
  const { stream, close } = await openVolumes(set);
  try {
    for await (const _ of stream());
  } finally {
    await close();
  }
}

async function* readRange(
  volumes: readonly Volume[],
  files: readonly FileHandle[],
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  const end = offset + length;
  for (const [i, { header }] of volumes.entries()) {
    const from = Math.max(offset, header.offset);
    const to = Math.min(end, header.offset + header.size);
    if (from < to) yield* readPayload(volumes[i]!, files[i]!, from - header.offset, to - from);
  }
}

async function* readVerified(
  volumes: readonly Volume[],
  files: readonly FileHandle[],
): AsyncGenerator<Uint8Array> {
  for (const [i, volume] of volumes.entries()) {
    const { path, header } = volume;
    const sha256 = createHash('sha256');
    for await (const piece of readPayload(volume, files[i]!, 0, header.size)) {
      sha256.update(piece);
      yield piece;
    }
    const got = sha256.digest('hex');
    if (got === header.sha256) continue;
    throw new DamagedError(`${path}: volume ${header.volume} of ${header.of} is damaged`, {
      advice: 'Copy that volume again from where it came from',
      facts: { path, got, want: header.sha256 },
    });
  }
}

const readSize = 1 << 18;

async function* readPayload(
  { path }: Volume,
  file: FileHandle,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < offset + length; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(readSize, offset + length - at));
    const bytesRead = await readMedium(file, path, buffer, volumeHeaderSize + at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

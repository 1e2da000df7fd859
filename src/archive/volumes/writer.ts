import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory, temporaryBeside } from '../../support/durable.ts';
import { UsageError } from '../../support/errors.ts';
import { encodeVolumeHeader, volumeHeaderSize, volumeSetId } from './header.ts';

interface VolumeUnderWay {
  file: FileHandle;
  temporary: string;
  sha256: Hash;
  size: number;
}

/**
 * Writes an archive as volumes `PATH.001`, `PATH.002` and so on, each smaller than `limit` bytes. None has its name
 * before all of them are whole and on disk.
 * @returns the paths of the volumes
 * @throws {UsageError} when `limit` leaves no room
 */
export async function writeVolumes(
  path: string,
  limit: number,
  archive: AsyncIterable<Uint8Array>,
): Promise<string[]> {
  const capacity = payloadCapacity(limit);
  const volumes: VolumeUnderWay[] = [];
  try {
    for await (const bytes of archive) await append(volumes, bytes, capacity, path);
    if (volumes.length === 0) volumes.push(await beginVolume(path));
    await writeHeaders(volumes);
    return await giveNames(volumes, path);
  } finally {
    for (const { file } of volumes) await file.close().catch(() => {});
    for (const { temporary } of volumes) await unlink(temporary).catch(() => {});
  }
}

/** Payload in whole blocks of 4 KiB, and a file that a FAT32 disk takes when the limit is 4 GiB. */
function payloadCapacity(limit: number): number {
  const blocks = Math.floor((limit - 1) / volumeHeaderSize) - 1;
  if (blocks >= 1) return blocks * volumeHeaderSize;
  throw new UsageError(`volumes of ${limit} bytes are too small`, {
    advice: 'Give a larger size, such as 4G',
  });
}

async function append(
  volumes: VolumeUnderWay[],
  bytes: Uint8Array,
  capacity: number,
  path: string,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    let volume = volumes.at(-1);
    if (volume === undefined || volume.size === capacity) {
      volume = await beginVolume(path);
      volumes.push(volume);
    }
    const piece = bytes.subarray(at, at + capacity - volume.size);
    await writeWhole(volume.file, piece, volumeHeaderSize + volume.size);
    volume.sha256.update(piece);
    volume.size += piece.length;
    at += piece.length;
  }
}

async function beginVolume(path: string): Promise<VolumeUnderWay> {
  const temporary = temporaryBeside(path);
  return { file: await open(temporary, 'wx', 0o600), temporary, sha256: createHash('sha256'), size: 0 };
}

/** Only now is it known how many there are and what they hold. */
async function writeHeaders(volumes: readonly VolumeUnderWay[]): Promise<void> {
  const payloads = volumes.map(({ sha256 }) => sha256.digest('hex'));
  const common = {
    set: volumeSetId(payloads),
    of: volumes.length,
    total: volumes.reduce((sum, { size }) => sum + size, 0),
  };
  let offset = 0;
  for (const [i, { file, size }] of volumes.entries()) {
    await writeWhole(
      file,
      encodeVolumeHeader({ ...common, volume: i + 1, size, sha256: payloads[i]!, offset }),
      0,
    );
    await file.sync();
    offset += size;
  }
}

async function giveNames(volumes: readonly VolumeUnderWay[], path: string): Promise<string[]> {
  const digits = Math.max(3, String(volumes.length).length);
  const paths: string[] = [];
  for (const [i, { temporary }] of volumes.entries()) {
    const name = `${path}.${String(i + 1).padStart(digits, '0')}`;
    await rename(temporary, name);
    paths.push(name);
  }
  await syncDirectory(dirname(path));
  return paths;
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

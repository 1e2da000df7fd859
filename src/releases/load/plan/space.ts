import { statfs } from 'node:fs/promises';
import type { EngineInfo } from '../../../engine/engine.ts';
import { unpacksLayers } from '../../../engine/images/unpacks.ts';
import { NoSpaceError } from '../../../support/errors.ts';
import { freeSpaceAt } from '../../../support/free-space.ts';
import { formatBytes } from '../../../support/quantities.ts';
import type { LayerToSend, PlannedLoad } from './plan.ts';

/**
 * Refuses a load that would fill the engine's disk. An engine writes what it is sent twice below its data root: a
 * temporary copy (the containerd store: into its content store), and the unpacked layers.
 * @throws {NoSpaceError} telling how much is needed and free
 */
export async function requireSpace({ send }: PlannedLoad, info: EngineInfo): Promise<void> {
  if (!info.local || send.length === 0) return;
  const copied = sum(send.map((layer) => (isExpanded(layer, info) ? unpackedSize(layer) : layer.file.size)));
  const unpacked = sum(send.map(unpackedSize));
  const need = { bytes: copied + unpacked + reserve, inodes: Math.ceil(unpacked / bytesPerInode) };
  const free = { bytes: await freeSpaceAt(info.rootDir), inodes: await freeInodes(info.rootDir) };
  if (need.bytes > free.bytes) throw noSpace(need.bytes, free.bytes, info.rootDir);
  if (need.inodes > free.inodes) {
    throw new NoSpaceError(
      `loading needs some ${need.inodes} inodes below ${info.rootDir}, and ${free.inodes} are free`,
      {
        advice: 'Remove files there, with dockerctl images prune for example',
        facts: { path: info.rootDir, need: need.inodes, free: free.inodes },
      },
    );
  }
}

/** The engine's disk, as it fills with what does not tell its size beforehand. It is what stops decompression bombs. */
export interface Room {
  /**
   * Admits bytes that the engine is sent, and copies.
   * @throws {NoSpaceError} as soon as all that was admitted would not fit
   */
  copied(bytes: number): void;
  /** Admits bytes that it unpacks. @throws {NoSpaceError} likewise */
  unpacked(bytes: number): void;
}

/**
 * The room on the engine's disk, less a reserve; without bounds where the engine is on another host, for nobody can
 * look there.
 */
export async function roomFor(info: EngineInfo): Promise<Room> {
  const free = info.local ? await freeSpaceAt(info.rootDir) : Number.POSITIVE_INFINITY;
  let admitted = reserve;
  const admit = (bytes: number) => {
    admitted += bytes;
    if (admitted > free) throw noSpace(admitted, free, info.rootDir);
  };
  return { copied: admit, unpacked: admit };
}

function noSpace(need: number, free: number, path: string): NoSpaceError {
  const [needed, left] = [need, free].map(formatBytes);
  return new NoSpaceError(`loading needs ${needed} below ${path}, and ${left} are free`, {
    advice: 'Make room there, with dockerctl images prune for example, or load fewer images with --select',
    facts: { path, need, free },
  });
}

/** For configs, metadata and what file systems need to work. */
const reserve = 16 << 20;

/**
 * How many files a layer holds is not known before it is read; images have one for some 30 KB, rarely fewer than this.
 */
const bytesPerInode = 256 << 10;

/** How far compressed layers expand is not known either; three times is what programs and libraries do. */
function unpackedSize({ file, compression }: LayerToSend): number {
  return compression === undefined ? file.size : file.size * 3;
}

function isExpanded({ compression }: LayerToSend, info: EngineInfo): boolean {
  return compression !== undefined && !unpacksLayers(info, compression);
}

/** Some file systems (btrfs) have no fixed number of inodes, and say 0. */
async function freeInodes(path: string): Promise<number> {
  const { files, ffree } = await statfs(path);
  return files === 0 ? Number.POSITIVE_INFINITY : ffree;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

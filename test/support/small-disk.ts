import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../src/support/errors.ts';

export interface SmallDisk {
  /** Where it is mounted; empty but for what its file system puts there. */
  directory: string;
  /** Leaves so many bytes free. */
  leaveFree(bytes: number): void;
  /** Leaves no inode free: not one file can be made. */
  useUpInodes(): void;
  /** Takes back what was filled. */
  clear(): void;
  remove(): void;
}

export interface SmallDiskOptions {
  mebibytes: number;
  /** How many files it can have. */
  inodes: number;
  /** Of an ext4: how large each is; one of 128 bytes has no room for parts of a second. */
  inodeBytes?: number;
}

/** A file system in memory. Needs root. */
export function mountTmpfs(directory: string, { mebibytes, inodes }: SmallDiskOptions): SmallDisk {
  mkdirSync(directory, { recursive: true });
  const options = `size=${mebibytes}m,nr_inodes=${inodes},mode=700`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'small', directory]);
  return { ...filling(directory), remove: () => unmount(directory) };
}

/** An ext4 in a file beside `directory`, whose last block root may use too. Needs root. */
export function mountExt4(
  directory: string,
  { mebibytes, inodes, inodeBytes = 256 }: SmallDiskOptions,
): SmallDisk {
  const image = `${directory}.ext4`;
  writeFileSync(image, '');
  truncateSync(image, mebibytes * 2 ** 20);
  const sizes = ['-m', '0', '-N', String(inodes), '-I', String(inodeBytes)];
  execFileSync('mkfs.ext4', ['-q', '-F', ...sizes, image], { stdio: 'pipe' });
  mkdirSync(directory, { recursive: true });
  execFileSync('mount', ['-o', 'loop', image, directory]);
  const remove = () => {
    unmount(directory);
    rmSync(image);
  };
  return { ...filling(directory), remove };
}

function filling(directory: string): Omit<SmallDisk, 'remove'> {
  const filler = join(directory, 'filler');
  const crowd = join(directory, 'crowd');
  return {
    directory,
    leaveFree(bytes) {
      // An ext4 takes blocks of its own for a large file, so what is left is looked at again.
      for (let round = 0; round < 4; round++) {
        const { bavail, bsize } = statfsSync(directory);
        const excess = Math.floor((bavail * bsize - bytes) / bsize) * bsize;
        if (excess > 0) append(filler, excess);
      }
    },
    useUpInodes() {
      mkdirSync(crowd);
      untilFull(() => {
        for (let i = 0; ; i++) writeFileSync(join(crowd, String(i)), '');
      });
    },
    clear() {
      rmSync(filler, { force: true });
      rmSync(crowd, { recursive: true, force: true });
    },
  };
}

function append(path: string, bytes: number): void {
  untilFull(() => writeFileSync(path, Buffer.alloc(bytes, 1), { flag: 'a' }));
}

function untilFull(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error;
  }
}

function unmount(directory: string): void {
  execFileSync('umount', ['-l', directory]);
}

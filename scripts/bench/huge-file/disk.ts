import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';

/** A btrfs in a sparse file beside `directory`, mounted there, that compresses what it is given. */
export function mountCompressing(
  directory: string,
  gigabytes: number,
): { directory: string; remove(): void } {
  const image = `${directory}.btrfs`;
  writeFileSync(image, '');
  truncateSync(image, gigabytes * 1e9);
  execFileSync('mkfs.btrfs', ['-q', image]);
  mkdirSync(directory);
  execFileSync('mount', ['-o', 'loop,compress=zstd:1,discard', image, directory]);
  return {
    directory,
    remove() {
      execFileSync('umount', [directory]);
      rmSync(image);
    },
  };
}

/**
 * One file of 100 GB beside one of 1 GB, for the time and above all the memory that each takes:
 *
 *     npm run bench -- huge-file [--gigabytes=100] [--restore=100]
 *
 * Needs root, btrfs and some 40 GB in the temporary directory: the files lie on a file system that compresses them.
 * Then a sparse file of the same size with next to nothing in it. Prints seconds and peak memory of whole processes.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeIdentity, encodeRecipient, generateIdentity } from '../../src/repository/age/keys.ts';
import { needProgram } from '../../test/support/debian-program.ts';
import { type Measured, measure } from './backup-peers/measure.ts';
import { changeOneByte, writeDistinct, writeSparse } from './huge-file/content.ts';
import { mountCompressing } from './huge-file/disk.ts';

const { values } = parseArgs({
  options: { gigabytes: { type: 'string', default: '100' }, restore: { type: 'string', default: '100' } },
});
const gigabytes = Number(values.gigabytes);
const key = generateIdentity();
const command = join(process.cwd(), 'bin/dockerctl');

needProgram('mkfs.btrfs', 'btrfs-progs');
needProgram('time');
const root = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
const disk = mountCompressing(join(root, 'disk'), gigabytes * 3 + 16);
try {
  for (const size of new Set([1, gigabytes]))
    benchFile(`${size} GB`, size, (file) => writeDistinct(file, size));
  benchFile(`${gigabytes} GB, sparse`, gigabytes, (file) => writeSparse(file, gigabytes));
} finally {
  disk.remove();
  rmSync(root, { recursive: true, force: true });
}

function benchFile(title: string, size: number, write: (file: string) => void): void {
  const home = join(disk.directory, title);
  const data = join(home, 'data');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  write(join(data, 'file'));
  const dockerctl = prepare(home, data);
  show(title, 'first', dockerctl('backup'));
  show(title, 'unchanged', dockerctl('backup'));
  changeOneByte(join(data, 'file'), size);
  show(title, 'a byte changed', dockerctl('backup'));
  show(title, 'verify', dockerctl('backup', 'verify'));
  show(title, 'verify --read-data', dockerctl('backup', 'verify', '--read-data', ...withKey(home)));
  if (size <= Number(values.restore)) {
    rmSync(join(data, 'file'));
    show(
      title,
      'restore',
      dockerctl('restore', 'latest', '-y', '--to', join(home, 'restored'), ...withKey(home)),
    );
  }
  rmSync(home, { recursive: true });
}

/** How to run a command for a deployment whose one source is `data`, sealed. */
function prepare(home: string, data: string): (...args: string[]) => Measured {
  const file = join(home, 'dockerctl.yaml');
  const backup = {
    repository: join(home, 'repository'),
    recipients: [encodeRecipient(key)],
    sources: { tree: { paths: [data] } },
  };
  writeFileSync(file, JSON.stringify({ name: 'bench', 'x-dockerctl': { backup } }), { mode: 0o600 });
  writeFileSync(join(home, 'key'), encodeIdentity(key), { mode: 0o600 });
  return (...args) =>
    measure([command, '-f', file, '--no-progress', ...args], { DOCKERCTL_STATE_DIR: join(home, 'state') });
}

function withKey(home: string): string[] {
  return ['--identity', join(home, 'key')];
}

function show(title: string, what: string, { seconds, cpuSeconds, peakMebibytes }: Measured): void {
  const time = `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU)`;
  console.log(
    `${title.padEnd(16)} ${what.padEnd(20)} ${time.padStart(28)} ${peakMebibytes.toFixed(0).padStart(6)} MiB`,
  );
}

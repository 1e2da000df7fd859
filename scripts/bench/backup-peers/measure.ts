import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, lstatSync, writeFileSync } from 'node:fs';

export interface Measured {
  seconds: number;
  /** Of all cores: what others do on the machine disturbs it less. */
  cpuSeconds: number;
  /** Of the largest process. */
  peakMebibytes: number;
}

/** Runs a command as a whole process and measures it from outside. Throws what it complained about if it fails. */
export function measure(command: readonly string[], environment: Record<string, string> = {}): Measured {
  const begin = performance.now();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M %U %S', ...command], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = (performance.now() - begin) / 1000;
  if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}\n${stderr}`);
  const [kibibytes = 0, user = 0, system = 0] =
    stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  return { seconds, cpuSeconds: user + system, peakMebibytes: kibibytes / 1024 };
}

/** Reads a tree into memory, and writes to the disk what others left: nobody waits for it in place of them. */
export function warm(directory: string): void {
  execFileSync('sync');
  execFileSync('sh', ['-c', 'find "$1" -type f -exec cat {} + >/dev/null', 'warm', directory]);
}

/** As it is at night: nothing is in memory, neither the tree nor the programs. For root only. */
export function chill(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Bytes of all files below. */
export function sizeOf(directory: string): number {
  return globSync('**/*', { cwd: directory, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(`${entry.parentPath}/${entry.name}`).size, 0);
}

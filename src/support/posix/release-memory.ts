import { readFileSync } from 'node:fs';
import { libc } from './libc.ts';

const dontNeed = 4;

/** How often it is looked whether there is something to give back, in milliseconds. */
const interval = 20;
/**
 * Looks between two times of giving back. What work goes on with comes again at once, so doing it at every look would
 * cost a twentieth of a backup's time for nothing; only a height that was not reached before is met at once.
 */
const pause = 8;
const mebibyte = 1024 * 1024;
/** Bytes that starting up takes anyhow: a height up to here is none. */
const ordinary = 40 * mebibyte;

/**
 * From now on gives back what this process holds without need: freed memory that the allocator keeps, and pages of the
 * runtime's program file that only some step needed, starting up above all. They stay in the page cache, where the
 * kernel can take them from. It is 30 to 50 MB of what a backup would hold. Where the system does not tell what is
 * held, nothing is given back. Source: madvise(2), malloc_trim(3).
 */
export function releaseMemory(): void {
  try {
    const program = [...cleanMappings(readFileSync('/proc/self/smaps', 'latin1'))];
    let held = release(program);
    let highest = ordinary;
    let looks = 0;
    const timer = setInterval(() => {
      const now = heldNow();
      looks++;
      if (now - held <= worthwhile(held) || (now <= highest && looks <= pause)) return;
      highest = Math.max(now, highest);
      held = release(program);
      looks = 0;
    }, interval);
    timer.unref();
  } catch {
    // No /proc, as in some chroots: it costs memory, no backup.
  }
}

/**
 * So many bytes must have come together since. To give back takes time, and the more a process works with, the sooner
 * it takes them again.
 */
function worthwhile(held: number): number {
  return Math.max(8 * mebibyte, held / 2 - 24 * mebibyte);
}

/** @returns bytes that are still held */
function release(program: readonly Mapping[]): number {
  libc().mallocTrim(0);
  for (const { from, to } of program) libc().madvise(from, to - from, dontNeed); // Where it is refused they just stay.
  return heldNow();
}

/** 0 when the system does not tell: when no more files may be open, above all. */
function heldNow(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}

interface Mapping {
  /** Addresses. */
  from: number;
  to: number;
}

/**
 * The mappings of files that may not be written to and never were: whatever is missing in them comes out of the file
 * again.
 * @param smaps as in proc_pid_smaps(5)
 */
export function* cleanMappings(smaps: string): Generator<Mapping> {
  for (const mapping of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p .* \/.*$/m.exec(mapping) ?? [];
    if (to !== '' && /^Anonymous: +0 kB$/m.test(mapping))
      yield { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) };
  }
}

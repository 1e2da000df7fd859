import { readFile } from 'node:fs/promises';

/** Every mount point that this process sees, one character per byte. Source of the format: proc_pid_mountinfo(5). */
export async function mountPoints(): Promise<string[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'latin1'));
}

/** Where file systems are mounted, by the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5), field 5). */
export function parseMountInfo(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

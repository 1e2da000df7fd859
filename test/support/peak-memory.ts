import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Runs the command as it is installed, and looks at how much memory it has taken.
 * @returns its exit status, what it said, and the most that it had resident, in MiB
 */
export async function peakOf(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ status: number | null; stderr: string; peak: number }> {
  const child = spawn('bin/dockerctl', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  });
  let [stderr, peak] = ['', 0];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // The kernel keeps the highest value, so nothing between two looks is missed but what comes at the very end.
  const looking = setInterval(() => {
    peak = Math.max(peak, highWater(child.pid!));
  }, 10);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(looking);
  return { status, stderr, peak };
}

/** VmHWM of proc(5); 0 when the process has ended. */
function highWater(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

/** The command in a process of its own, which can be killed. */
export function startCli(
  argv: readonly string[],
  environment: Record<string, string> = {},
  stdio: StdioOptions = 'ignore',
): ChildProcess {
  return spawn(process.execPath, ['src/cli/bin.ts', ...argv], {
    stdio,
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...environment },
  });
}

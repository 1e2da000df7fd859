import { PassThrough } from 'node:stream';
import { main } from '../../src/cli/main.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface CliResult {
  status: number;
  stdout: string;
  stderr: string;
}

const stateDir = temporaryDirectory();

/**
 * Runs the whole command line inside this process: no terminal, no stdin unless given, a state directory of the test's
 * own.
 */
export async function runCli(
  argv: readonly string[],
  options: {
    environment?: Record<string, string>;
    workingDirectory?: string;
    stdin?: string | Uint8Array;
    giveWay?: () => Promise<void>;
  } = {},
): Promise<CliResult> {
  const stdin = new PassThrough();
  stdin.end(options.stdin ?? '');
  const stdout = collect();
  const stderr = collect();
  const status = await main({
    argv,
    environment: { PATH: process.env.PATH ?? '', DOCKERCTL_STATE_DIR: stateDir, ...options.environment },
    workingDirectory: options.workingDirectory ?? process.cwd(),
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    ...(options.giveWay && { giveWay: options.giveWay }),
  });
  const result = { status, stdout: stdout.text(), stderr: stderr.text() };
  if (status !== 0) latestRefusals.push(`dockerctl ${argv.join(' ')}: ${status}\n${result.stderr}`);
  return result;
}

/** A status alone does not tell why: when a test fails, what the latest commands said is printed with it. */
const latestRefusals: string[] = [];
process.on('exit', (code) => {
  if (code !== 0)
    console.log(['The latest commands that did not end with 0:', ...latestRefusals.slice(-5)].join('\n'));
});

function collect() {
  const stream = new PassThrough();
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return { stream, text: () => Buffer.concat(pieces).toString('utf8') };
}

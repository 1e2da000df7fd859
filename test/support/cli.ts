import { PassThrough } from 'node:stream';
import { main } from '../../src/cli/main.ts';

export interface CliResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the whole command line inside this process: no terminal, no stdin unless given. */
export async function runCli(
  argv: readonly string[],
  options: {
    environment?: Record<string, string>;
    workingDirectory?: string;
    stdin?: string | Uint8Array;
  } = {},
): Promise<CliResult> {
  const stdin = new PassThrough();
  stdin.end(options.stdin ?? '');
  const stdout = collect();
  const stderr = collect();
  const status = await main({
    argv,
    environment: { PATH: process.env.PATH ?? '', ...options.environment },
    workingDirectory: options.workingDirectory ?? process.cwd(),
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

function collect() {
  const stream = new PassThrough();
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return { stream, text: () => Buffer.concat(pieces).toString('utf8') };
}

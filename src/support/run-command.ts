import { spawn } from 'node:child_process';
import { FailedError } from './errors.ts';

/** How a program ended and what it said. */
export interface CommandResult {
  /** The exit status; 128 and the signal's number are never mixed in: a signal is an error. */
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Written to its standard input, which is then closed. */
  input?: string | Uint8Array;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

const outputLimit = 1024 * 1024;

/**
 * Runs a program with these exact arguments, no shell between, and returns how it ended. Of its output the first MiB
 * of each stream is kept.
 * @throws {FailedError} when it cannot be started (the cause carries `ENOENT`) or a signal ended it.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  { input, env, signal }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: env ?? process.env, signal });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', (cause) => {
      reject(new FailedError(`running ${command}: ${cause.message}`, { cause }));
    });
    child.on('close', (status, killer) => {
      if (status === null) return reject(new FailedError(`running ${command}: ended by ${killer}`));
      resolve({ status, stdout: stdout(), stderr: stderr() });
    });
    // A program may exit before it has read its input; its exit status tells the story.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  let length = 0;
  stream.on('data', (piece: Buffer) => {
    if (length < outputLimit) pieces.push(piece.subarray(0, outputLimit - length));
    length += piece.length;
  });
  return () => Buffer.concat(pieces).toString('utf8');
}

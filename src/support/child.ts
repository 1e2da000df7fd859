import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { codeOf, FailedError, messageOf } from './errors.ts';

export interface ChildOptions {
  /**
   * Added to the environment of this process, which a child inherits. Secrets belong here, never among the arguments.
   */
  environment?: Record<string, string>;
  workingDir?: string;
  /** Seconds until it is stopped. */
  timeout?: number;
  /**
   * Seconds to wait for its outputs once it has ended and something that it left running holds them open; for ever when
   * left out.
   */
  lingering?: number;
  signal?: AbortSignal;
}

/** How a program ended. */
export interface ChildExit {
  /** `undefined` when a signal ended it. */
  code: number | undefined;
  signal: string | undefined;
  timedOut: boolean;
  /** The last 64 KiB of it. */
  stderr: string;
}

/** A program that runs. Read `stdout` to its end: the program waits for its reader. */
export interface Child {
  stdin: Writable;
  stdout: Readable;
  /** Resolves when it has ended and both outputs are closed; rejects only when it could not be started. */
  exited: Promise<ChildExit>;
}

/**
 * Starts a program in a process group of its own, without a shell. When the time is up or the signal aborts, the whole
 * group gets TERM, and KILL five seconds later; nobody listens then to what has left the group and holds the outputs
 * open.
 */
export function startChild(command: readonly string[], options: ChildOptions = {}): Child {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    ...(options.environment && { env: { ...process.env, ...options.environment } }),
    ...(options.workingDir !== undefined && { cwd: options.workingDir }),
  });
  child.stdin.on('error', () => {}); // EPIPE: it need not read what it was sent; its exit status tells.
  child.stdout.on('error', () => {}); // For those who read it.
  const exited = watch(child, program, options);
  exited.catch(() => {});
  return { stdin: child.stdin, stdout: child.stdout, exited };
}

/** How it ended, in words for a message: `exit 3`, `killed by SIGTERM`, `timed out`. */
export function describeExit(exit: Pick<ChildExit, 'code' | 'signal' | 'timedOut'>): string {
  if (exit.timedOut) return 'timed out';
  return exit.code === undefined ? `killed by ${exit.signal}` : `exit ${exit.code}`;
}

type Process = ChildProcessByStdio<Writable, Readable, Readable>;

async function watch(child: Process, program: string, options: ChildOptions): Promise<ChildExit> {
  const done = new AbortController();
  let timedOut = false;
  const timer = afterSeconds(options.timeout, done.signal, () => {
    timedOut = true;
    void stopGroup(child, new FailedError(`running ${program}: timed out`), done.signal);
  });
  child.once('exit', () => void afterSeconds(options.lingering, done.signal, () => closePipes(child)));
  const stop = () => void stopGroup(child, options.signal?.reason as Error, done.signal);
  options.signal?.addEventListener('abort', stop);
  if (options.signal?.aborted) stop();
  try {
    const [stderr, { code, signal }] = await Promise.all([tailOf(child.stderr), ended(child, program)]);
    return { code: code ?? undefined, signal: signal ?? undefined, timedOut, stderr };
  } finally {
    options.signal?.removeEventListener('abort', stop);
    done.abort();
    await timer;
  }
}

async function afterSeconds(seconds: number | undefined, done: AbortSignal, act: () => void): Promise<void> {
  if (seconds === undefined) return;
  await setTimeout(seconds * 1000, undefined, { signal: done }).then(act, () => {});
}

async function stopGroup(child: Process, reason: Error, done: AbortSignal): Promise<void> {
  killGroup(child, 'SIGTERM');
  try {
    await setTimeout(5000, undefined, { signal: done });
    killGroup(child, 'SIGKILL');
    await setTimeout(500, undefined, { signal: done });
    child.stdout.destroy(reason);
    child.stderr.destroy();
  } catch {
    // It has ended.
  }
}

function closePipes({ stdin, stdout, stderr }: Process): void {
  for (const pipe of [stdin, stdout, stderr]) pipe.destroy();
}

function killGroup(child: Process, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has gone already.
  }
}

function ended(
  child: Process,
  program: string,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(program, error)));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
}

function notStarted(program: string, cause: Error): FailedError {
  const facts = { program };
  if (codeOf(cause) === 'ENOENT') {
    const advice = 'Install it, or give its full path: cron knows few directories';
    return new FailedError(`running ${program}: it is not installed`, { advice, facts, cause });
  }
  if (codeOf(cause) === 'EACCES') {
    const advice = `If it is a program: chmod +x ${program}`;
    return new FailedError(`running ${program}: it is not executable`, { advice, facts, cause });
  }
  return new FailedError(`running ${program}: ${messageOf(cause)}`, { facts, cause });
}

/** Keeps the end of a stream, which is where programs say why they failed. */
async function tailOf(stream: Readable, limit = 64 * 1024): Promise<string> {
  let tail = Buffer.alloc(0);
  stream.on('data', (piece: Buffer) => {
    tail = Buffer.concat([tail, piece]).subarray(-limit);
  });
  await once(stream, 'close');
  return tail.toString();
}

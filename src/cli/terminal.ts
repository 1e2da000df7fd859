import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Execution, OutputStreams } from '../engine/engine.ts';
import type { Io } from './io.ts';

/** Writes both outputs to ours until they end; a reader of ours that is slow makes the container wait. */
export async function passOutput({ stdout, stderr }: OutputStreams, io: Io): Promise<void> {
  await Promise.all([
    pipeline(stdout, io.stdout, { end: false }),
    pipeline(stderr, io.stderr, { end: false }),
  ]);
}

/** Whether a command in a container is given our stdin: it is a terminal, or a pipe or file with something in it. */
export function hasInput({ stdin }: Io): boolean {
  const { fd } = stdin as { fd?: number };
  if (stdin.isTTY || fd === undefined) return true;
  const status = fstatSync(fd);
  return status.isFIFO() || status.isSocket() || (status.isFile() && status.size > 0);
}

/** Whether a command in a container gets a terminal: only when there is one on both sides of us. */
export function hasTerminal({ stdin, stdout }: Io): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}

/**
 * Connects our terminal or pipes with a command in a container and resolves with its exit status. A terminal is raw
 * meanwhile: Ctrl-C is the command's.
 */
export async function converse(execution: Execution, io: Io, signal: AbortSignal): Promise<number> {
  const close = () => execution.close();
  signal.addEventListener('abort', close);
  const release = execution.stdin === undefined ? () => {} : lendTerminal(execution, io);
  try {
    await passOutput(execution, io);
    signal.throwIfAborted();
    return await execution.exitCode;
  } finally {
    release();
    signal.removeEventListener('abort', close);
  }
}

function lendTerminal({ stdin: input, resize }: Execution, io: Io): () => void {
  const terminal = hasTerminal(io);
  const fit = () => void resize(io.stdout.columns ?? 80, io.stdout.rows ?? 24).catch(() => {});
  if (terminal) {
    io.stdin.setRawMode?.(true);
    io.stdout.on('resize', fit);
    fit();
  }
  if (input !== undefined) (io.stdin as Readable).pipe(input);
  return () => {
    io.stdin.unpipe(input);
    io.stdin.pause();
    io.stdout.off('resize', fit);
    if (terminal) io.stdin.setRawMode?.(false);
  };
}

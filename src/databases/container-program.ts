import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Execution } from '../engine/engine.ts';
import { FailedError } from '../support/errors.ts';
import type { DatabaseServer } from './databases.ts';
import { endProgram, markName } from './end-program.ts';

export interface ContainerProgram {
  command: readonly string[];
  environment: Record<string, string>;
  /** The operating system's account; the container's own when undefined. */
  user: string | undefined;
  /** What it is for, as errors shall begin: `dumping database shop of postgres`. */
  purpose: string;
  /** Ends it with the signal's own reason. */
  signal: AbortSignal;
  /** A little that it is given on its standard input, by `outputOf`. */
  input?: string;
}

/** Milliseconds without a byte, while we wait for one, after which a dump counts as hung. */
const silenceLimit = 15 * 60_000;
const keptErrorOutput = 4096;

/**
 * The standard output of a program inside the server's container. Throws after the last byte unless the program exited
 * with 0. `onWarnings` is given what it said on stderr all the same: the end of it, if it was long.
 * @throws {FailedError} also when it stays silent for too long.
 */
export async function* outputOf(
  server: DatabaseServer,
  program: ContainerProgram,
  onWarnings: (text: string) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const { execution, end } = await start(server, program, program.input !== undefined);
  execution.stdin?.end(program.input);
  const errors = lastOf(execution.stderr);
  try {
    yield* watched(execution.stdout, program, silenceLimit);
    await expectSuccess(execution, program, errors);
  } finally {
    await end();
  }
  if (errors() !== '') onWarnings(errors());
}

/** What a program printed, given `input`: output that is small, for it is kept in memory. Throws as `outputOf` does. */
export async function run(
  server: DatabaseServer,
  program: ContainerProgram,
  input: AsyncIterable<Uint8Array>,
): Promise<{ stdout: string; stderr: string }> {
  const { execution, end } = await start(server, program, true);
  const errors = lastOf(execution.stderr);
  try {
    const ended = new AbortController();
    const output: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of watched(execution.stdout, program)) output.push(piece);
    })().finally(() => ended.abort());
    await allDone([feed(input, execution, program, ended.signal), reading]);
    await expectSuccess(execution, program, errors);
    return { stdout: Buffer.concat(output).toString('utf8'), stderr: errors() };
  } finally {
    await end();
  }
}

/** Waits for all of them, and then throws what the first in the list that failed did. */
async function allDone(tasks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(tasks)) if (result.status === 'rejected') throw result.reason;
}

/** `end` lets go of the program, and ends it unless it has ended. */
async function start(
  server: DatabaseServer,
  { command, environment, user, signal }: ContainerProgram,
  stdin: boolean,
): Promise<{ execution: Execution; end(): Promise<void> }> {
  signal.throwIfAborted();
  const mark = randomBytes(12).toString('hex');
  const execution = await server.engine.containers.exec(server.container, {
    command,
    environment: { ...environment, [markName]: mark },
    stdin,
    ...(user !== undefined && { user }),
  });
  let ended = false;
  execution.exitCode.then(
    () => {
      ended = true;
    },
    () => {},
  );
  return {
    execution,
    async end() {
      execution.close();
      if (!ended) await endProgram(server, mark, user);
    },
  };
}

/**
 * Throws what `input` throws. A program that stops listening is no failure here: its exit status tells more. The engine
 * does not always say that it stopped, but the end of its output does.
 */
async function feed(
  input: AsyncIterable<Uint8Array>,
  execution: Execution,
  program: ContainerProgram,
  ended: AbortSignal,
): Promise<void> {
  let failure: { cause: unknown } | undefined;
  const iterator = input[Symbol.asyncIterator]();
  async function* remembered(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = await pull(); !next.done; next = await pull()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  const pull = () =>
    iterator.next().catch((cause: unknown) => {
      failure = { cause };
      throw cause;
    });
  await pipeline(Readable.from(remembered(), { objectMode: false }), execution.stdin!, {
    signal: AbortSignal.any([program.signal, ended]),
  }).catch(() => program.signal.throwIfAborted());
  if (failure) throw failure.cause;
}

async function* watched(
  stream: Readable,
  program: ContainerProgram,
  silence?: number,
): AsyncGenerator<Uint8Array> {
  const stop = () => stream.destroy(program.signal.reason);
  const hung = () =>
    stream.destroy(
      new FailedError(`${program.purpose}: it printed nothing for ${silence! / 60_000} minutes`),
    );
  let timer = silence === undefined ? undefined : setTimeout(hung, silence);
  program.signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of stream) {
      clearTimeout(timer);
      yield piece;
      if (silence !== undefined) timer = setTimeout(hung, silence);
    }
  } finally {
    clearTimeout(timer);
    program.signal.removeEventListener('abort', stop);
  }
}

async function expectSuccess(
  execution: Execution,
  { purpose, command }: ContainerProgram,
  errors: () => string,
): Promise<void> {
  const status = await execution.exitCode;
  if (status === 0) return;
  const said = errors();
  const line = said.split('\n').find((text) => /error|fatal/i.test(text)) ?? said.split('\n').at(-1) ?? '';
  throw new FailedError(`${purpose}: ${command[0]} exited with ${status}${line && `: ${line}`}`, {
    facts: { status, stderr: said },
  });
}

/** Keeps the last bytes of a stream, from a line's beginning. */
function lastOf(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  let cut = false;
  stream.on('error', () => {});
  stream.on('data', (piece: Buffer) => {
    const all = Buffer.concat([kept, piece]);
    cut ||= all.length > keptErrorOutput;
    kept = all.subarray(-keptErrorOutput);
  });
  return () => {
    const text = kept.toString('utf8');
    return (cut ? text.slice(text.indexOf('\n') + 1) : text).trim();
  };
}

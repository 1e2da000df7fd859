import { randomBytes } from 'node:crypto';
import type { Execution } from '../../engine/engine.ts';
import { FailedError } from '../../support/errors.ts';
import { silenceLimit, type Watch, watched } from '../../support/watched.ts';
import type { DatabaseServer } from '../databases.ts';
import { only } from '../text.ts';
import { endProgram, markName } from './end-program.ts';
import { feed, lastOf } from './program-streams.ts';

/** A program to be run inside the container of a server. */
export interface ContainerProgram extends Watch {
  command: readonly string[];
  environment?: Record<string, string>;
  /** The operating system's account; the container's own when left out. */
  user?: string | undefined;
  /** A little that it is given on its standard input, by `outputOf`. */
  input?: string;
}

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
    yield* unlessNotStarted(watched(execution.stdout, program, silenceLimit), execution, program);
    await expectSuccess(execution, program, errors);
  } finally {
    await end();
  }
  if (errors() !== '') onWarnings(errors());
}

/**
 * What a program printed, given `input` or nothing: output that is small, for it is kept in memory. Throws as
 * `outputOf` does.
 */
export async function run(
  server: DatabaseServer,
  program: ContainerProgram,
  input: AsyncIterable<Uint8Array> = only(''),
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
    const stdout = Buffer.concat(output).toString('utf8');
    await expectSuccess(execution, program, errors, stdout);
    return { stdout, stderr: errors() };
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

/** With these words an engine says that it could not start a program, where that would have printed its output. */
const notStarted = 'OCI runtime exec failed: ';

/** What the engine says is no output: who reads that as a dump would call it damaged. */
async function* unlessNotStarted(
  output: AsyncIterable<Uint8Array>,
  execution: Execution,
  program: ContainerProgram,
): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const piece of output) {
    const said = first ? Buffer.from(piece).toString('latin1') : '';
    if (said.startsWith(notStarted)) await expectSuccess(execution, program, () => '', said);
    first = false;
    yield piece;
  }
}

/** @param output how it begins, where the engine may have said that it did not start it */
async function expectSuccess(
  execution: Execution,
  { purpose, command }: ContainerProgram,
  errors: () => string,
  output = '',
): Promise<void> {
  const status = await execution.exitCode;
  if (status === 0) return;
  if (saysNotThere(status) && output.startsWith(notStarted))
    throw new FailedError(`${purpose}: ${whyNotStarted(command[0]!, output)}`, { facts: { status } });
  const said = errors();
  const line = said.split('\n').find((text) => /error|fatal/i.test(text)) ?? said.split('\n').at(-1) ?? '';
  throw new FailedError(`${purpose}: ${command[0]} ${end(status)}${line && `: ${line}`}`, {
    facts: { status, stderr: said },
  });
}

function whyNotStarted(program: string, words: string): string {
  const isMissing = /executable file not found|no such file or directory/.test(words);
  if (isMissing) return `the container has no program ${program}`;
  return `${program} cannot be started: ${words.slice(notStarted.length).trim().slice(0, 200)}`;
}

function end(status: number): string {
  const lacking = saysNotThere(status) ? ', as if it were not installed there' : '';
  return `exited with ${status}${lacking}`;
}

/**
 * An engine, or a shell, says with 126 or 127 that it found no such program; why, an engine prints where the program
 * would have printed its output.
 */
export function saysNotThere(status: number | undefined): boolean {
  return status === 126 || status === 127;
}

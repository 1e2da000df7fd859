import type { Deployment } from '../deployment/deployment.ts';
import type { Engine } from '../engine/engine.ts';
import type { Context } from '../support/context.ts';
import { InterruptedError, messageOf, UsageError } from '../support/errors.ts';
import type { Io } from './io.ts';
import type { PrintedOutput } from './output.ts';
import { createProgress } from './render/progress.ts';
import { askForLine } from './typed-line.ts';

export interface GlobalOptions {
  file?: string;
  release?: string;
  host?: string;
  stateDir?: string;
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
  progress?: boolean;
  yes?: boolean;
  dryRun?: boolean;
}

/** What a command is given: the world outside, opened when it is first needed. */
export interface Session {
  io: Io;
  global: GlobalOptions;
  /** What the core's long operations want. */
  context: Context;
  engine(): Promise<Engine>;
  deployment(): Promise<Deployment>;
  /** Prints a command's result on stdout: the value itself with `--json`, else what `render` makes of it. */
  result<T>(value: T, render: (value: T) => string): void;
  /** The same for what tells of work that is done; of what would be, with `--dry-run`. */
  report<T>(value: T, render: (value: T) => string): void;
  /** Asks before what cannot be undone. Throws `UsageError` where nobody can answer, `InterruptedError` on "no". */
  confirm(question: string): Promise<void>;
  close(): Promise<void>;
}

export function createSession(
  io: Io,
  output: Pick<PrintedOutput, 'tellsOfWork'>,
  global: GlobalOptions,
  signal: AbortSignal,
): Session {
  const progress = createProgress(io, global);
  const stateDir = stateDirectory(io, global);
  const print = <T>(value: T, render: (value: T) => string) => {
    progress.clear();
    const text = global.json ? JSON.stringify(value, jsonValue, 2) : render(value);
    if (text !== '') io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  return {
    io,
    global,
    context: { progress, signal, now: () => new Date(), stateDir },
    engine: once(() => openEngine(io, global)),
    deployment: once(() => openDeployment(io, global)),
    result: print,
    report(value, render) {
      if (!global.dryRun) output.tellsOfWork();
      print(value, render);
    },
    confirm: (question) => confirm(io, global, signal, question),
    async close() {
      progress.clear();
    },
  };
}

/** A variable that was never set must not make the working directory that of the state. */
function stateDirectory(io: Io, global: GlobalOptions): string {
  return global.stateDir || io.environment.DOCKERCTL_STATE_DIR || '/var/lib/dockerctl';
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}

async function openEngine(io: Io, global: GlobalOptions): Promise<Engine> {
  const { connectEngine } = await import('../engine/connect.ts');
  return connectEngine({ host: global.host ?? io.environment.DOCKER_HOST, environment: io.environment });
}

async function openDeployment(io: Io, global: GlobalOptions): Promise<Deployment> {
  const [{ readDeployment }, { findDeploymentFile }] = await Promise.all([
    import('../deployment/read.ts'),
    import('./arguments/deployment-file.ts'),
  ]);
  const file = await findDeploymentFile(io, global.file);
  return readDeployment(file, {
    environment: io.environment,
    ...(global.release === undefined ? {} : { release: global.release }),
  });
}

/** Big numbers (nanoseconds) as strings, so that no digit is lost. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function confirm(io: Io, global: GlobalOptions, signal: AbortSignal, question: string): Promise<void> {
  if (global.yes) return;
  if (!io.stdin.isTTY || !io.stderr.isTTY) {
    throw new UsageError(`${question}: nobody is there to answer`, { advice: 'Say --yes to go ahead' });
  }
  const answer = await askForLine(io, { prompt: `${question}? [y/N] ` }, signal);
  if (signal.aborted) throw new InterruptedError(`${messageOf(signal.reason)}: nothing was changed`);
  if (!/^y(es)?$/i.test(answer?.trim() ?? ''))
    throw new InterruptedError('not confirmed: nothing was changed');
}

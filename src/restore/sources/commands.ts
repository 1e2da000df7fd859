import { createReadStream, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ContainerProgram, outputOf, run } from '../../databases/container/program.ts';
import type { CommandSource } from '../../deployment/backup-settings.ts';
import { requireTrustedProgram } from '../../deployment/trust/trusted-program.ts';
import type { Entry } from '../../repository/entry.ts';
import { describeExit, startChild } from '../../support/child.ts';
import type { Context } from '../../support/context.ts';
import { replaceDurably } from '../../support/durable.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import type { RestoreHost } from '../host.ts';
import { type RestoreJournal, saveJournal } from '../journal.ts';
import { startAndCheck } from '../services/start-and-check.ts';
import { sourceTree } from '../tree/source-tree.ts';
import type { DatabasePorts } from './databases.ts';

/** A source that a pair of commands saves and brings back, during a restore. */
export interface CommandRecord extends Pick<CommandSource, 'service' | 'run' | 'restore' | 'timeout'> {
  source: string;
  /** What `run` printed before: the way back. `undefined` when its service did not run then. */
  before?: string;
  /** `restore` was about to run. */
  begun?: boolean;
}

type CommandHost = Pick<RestoreHost, 'engine' | 'services'>;

/** Saves what a command prints now, for it is what `restore` will be given if this restore is taken back. */
export async function saveBefore(
  command: CommandRecord,
  host: CommandHost,
  journal: RestoreJournal,
  context: Context,
): Promise<void> {
  const path = join(dirname(journal.path), `${journal.record.id}-${command.source}.before`);
  command.before = path;
  await saveJournal(journal);
  await replaceDurably(path, 0o600, (file) => file.writeFile(printedBy(command, host, context)));
}

/** Gives `restore` what the snapshot holds. */
export async function bringBack(
  command: CommandRecord,
  ports: DatabasePorts,
  journal: RestoreJournal,
  context: Context,
): Promise<void> {
  const { repository, snapshot } = ports;
  if (command.service !== undefined) await startAndCheck([command.service], ports.services, context);
  const entry = await outputEntry(command, ports);
  command.begun = true;
  await saveJournal(journal);
  await feed(command, repository.content(snapshot, entry), ports, context);
}

/** Gives `restore` what `run` printed before, if it was given anything else since. */
export async function undoCommand(
  command: CommandRecord,
  host: CommandHost,
  context: Context,
): Promise<void> {
  if (!command.begun || command.before === undefined || !existsSync(command.before)) return;
  if (command.service !== undefined) await host.services.start([command.service], { ready: true }, context);
  await feed(command, createReadStream(command.before), host, context);
}

async function outputEntry(
  { source }: CommandRecord,
  { repository, snapshot }: DatabasePorts,
): Promise<Entry> {
  for await (const entry of sourceTree(repository, snapshot, source, ['.'])) {
    if (entry.path === 'output' && entry.type === 'file') return entry;
  }
  throw new DamagedError(`restoring ${source}: the snapshot does not hold what its command printed`);
}

async function* printedBy(
  command: CommandRecord,
  host: CommandHost,
  context: Context,
): AsyncGenerator<Uint8Array> {
  if (command.service !== undefined) {
    const server = { engine: host.engine, container: await host.services.container(command.service) };
    return yield* outputOf(server, programOf(command, command.run, context));
  }
  await requireTrustedProgram(command.run[0] ?? '');
  const child = startChild(command.run, { ...timeoutOf(command), signal: context.signal });
  child.stdin.end();
  yield* child.stdout;
  await expectExit(command.run, child.exited, context);
}

async function feed(
  command: CommandRecord,
  input: AsyncIterable<Uint8Array>,
  host: CommandHost,
  context: Context,
): Promise<void> {
  if (command.service !== undefined) {
    const server = { engine: host.engine, container: await host.services.container(command.service) };
    await run(server, programOf(command, command.restore, context), input);
    return;
  }
  await requireTrustedProgram(command.restore[0] ?? '');
  const child = startChild(command.restore, { ...timeoutOf(command), signal: context.signal });
  child.stdout.resume();
  // It may stop reading before the end; its exit status tells whether it had to.
  const feeding = pipeline(input, child.stdin).catch((error: unknown) => {
    if (error instanceof DamagedError) throw error;
  });
  await Promise.all([feeding, expectExit(command.restore, child.exited, context)]);
}

function programOf(
  { service, timeout }: CommandRecord,
  command: readonly string[],
  { signal }: Context,
): ContainerProgram {
  const purpose = `running ${command[0]} in ${service}`;
  const limit = timeout === undefined ? [] : [AbortSignal.timeout(timeout * 1000)];
  return { command, environment: {}, user: undefined, purpose, signal: AbortSignal.any([signal, ...limit]) };
}

function timeoutOf({ timeout }: CommandRecord): { timeout?: number } {
  return timeout === undefined ? {} : { timeout };
}

async function expectExit(
  [program]: readonly string[],
  exited: ReturnType<typeof startChild>['exited'],
  { signal }: Context,
): Promise<void> {
  const exit = await exited;
  signal.throwIfAborted();
  if (exit.code === 0 && !exit.timedOut) return;
  const last = exit.stderr.trim().split('\n').at(-1) ?? '';
  throw new FailedError(`running ${program}: ${describeExit(exit)}${last && `: ${last}`}`, {
    facts: { stderr: exit.stderr },
  });
}

import { createReadStream, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ContainerProgram, outputOf, run } from '../../databases/container/program.ts';
import type { CommandSource } from '../../deployment/backup-settings.ts';
import {
  feedHostCommand,
  type HostCommand,
  outputOfHostCommand,
} from '../../deployment/commands/stream-host-command.ts';
import type { Entry } from '../../repository/entry.ts';
import type { Context } from '../../support/context.ts';
import { withDeadline } from '../../support/deadline.ts';
import { replaceDurably } from '../../support/durable.ts';
import { DamagedError } from '../../support/errors.ts';
import type { RestoreHost } from '../host.ts';
import { type RestoreJournal, saveJournal } from '../journal.ts';
import { serverOf } from '../services/server-of.ts';
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
  { service, run: command, timeout }: CommandRecord,
  host: CommandHost,
  { signal }: Context,
): AsyncGenerator<Uint8Array> {
  if (service === undefined) return yield* outputOfHostCommand({ command, timeout }, signal);
  const program = programOf(service, { command, timeout }, signal);
  yield* outputOf(await serverOf(service, host), program);
}

async function feed(
  { service, restore: command, timeout }: CommandRecord,
  input: AsyncIterable<Uint8Array>,
  host: CommandHost,
  { signal }: Context,
): Promise<void> {
  if (service === undefined) return feedHostCommand({ command, timeout }, input, signal);
  await run(await serverOf(service, host), programOf(service, { command, timeout }, signal), input);
}

function programOf(
  service: string,
  { command, timeout }: HostCommand,
  signal: AbortSignal,
): ContainerProgram {
  const purpose = `running ${command[0]} in ${service}`;
  return { command, purpose, signal: withDeadline(signal, purpose, timeout) };
}

import { Command, CommanderError, Option, type OutputConfiguration } from 'commander';
import { UsageError } from '../support/errors.ts';
import { refuseEmptyOptions } from './arguments/refuse-empty.ts';
import { helpOfCommand, refuseUnknownHelp } from './arguments/refuse-unknown.ts';
import { refuseUnnameable } from './arguments/refuse-unnameable.ts';
import { addCommands } from './commands/all.ts';
import { createSession, type GlobalOptions, type Session } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import type { PrintedOutput } from './output.ts';
import { version } from './version.ts';

/** What a command does once it is parsed: `0`, nothing, or the exit status it means. */
export type Action = (session: Session, input: ParsedInput) => Promise<number | undefined>;

/**
 * Turns what a command does into commander's handler. One that changes something and cannot tell beforehand what says
 * so, and what tells instead: then `--dry-run` is refused.
 */
export type Wrap = (action: Action, without?: { dryRun: string }) => (...parsed: unknown[]) => Promise<void>;

export interface ParsedInput {
  /** Positional arguments as commander gives them: strings, or an array for a variadic one. */
  // biome-ignore lint/suspicious/noExplicitAny: commander's arguments are as the command declared them
  args: any[];
  // biome-ignore lint/suspicious/noExplicitAny: as are its options
  options: Record<string, any>;
}

/** Parses `io.argv`, runs the one command it names, and resolves with its exit status. */
export async function runProgram(io: Io, output: PrintedOutput, signal: AbortSignal): Promise<number> {
  refuseUnnameable(io);
  let status: number | undefined;
  const help: string[] = [];
  const wrap: Wrap = (action, without) => {
    return async (...parsed) => {
      const command = parsed.at(-1) as Command;
      refuseEmptyOptions(command);
      const global = globalOptionsOf(command);
      if (global.dryRun && without !== undefined) throw noDryRun(command, without.dryRun);
      const session = createSession(io, output, global, signal);
      try {
        status = (await action(session, { args: parsed.slice(0, -2), options: command.opts() })) ?? 0;
      } finally {
        await session.close();
      }
    };
  };
  const program = createProgram(wrap, {
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void help.push(text),
  });
  try {
    await program.parseAsync(helpOfCommand(io.argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.done;
    if (error.code !== 'commander.help' || io.argv.includes('--json')) throw misused(error as Refusal);
    io.stderr.write(help.join(''));
    return exitCodes.usage;
  }
  return status ?? exitCodes.done;
}

function noDryRun(command: Command, advice: string): UsageError {
  return new UsageError(
    `--dry-run: ${command.name()} cannot tell beforehand what it would do, and did nothing`,
    {
      advice,
    },
  );
}

/** What commander refuses, and the command that was used wrongly: every one of ours adds itself. */
interface Refusal extends CommanderError {
  command: Command;
}

function misused({ code, message, command }: Refusal): UsageError {
  const what = code === 'commander.help' ? 'no command is given' : message.replace(/^error: /, '');
  const help = `${chainOf(command)
    .map((one) => one.name())
    .join(' ')} --help`;
  const tells = command.commands.length === 0 ? 'tells how it is used' : 'lists the commands';
  return new UsageError(what, { advice: `${help} ${tells}` });
}

/** Lets what commander refuses name the command, for the advice. */
function nameInRefusals(command: Command): void {
  command.exitOverride((error) => {
    throw Object.assign(error, { command });
  });
}

/** The whole command line as commander sees it. */
function createProgram(wrap: Wrap, output: OutputConfiguration): Command {
  const program = new Command('dockerctl')
    .description('Keeps a host of containers alive where there is no Internet.')
    .version(version, '--version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false, minWidthToWrap: 20 })
    .configureOutput(output);
  nameInRefusals(program);
  for (const option of globalOptions()) program.addOption(option);
  addCommands(program, wrap);
  refuseUnknownHelp(program);
  for (const command of program.commands) acceptGlobalOptions(command);
  return program;
}

function globalOptions(): Option[] {
  return [
    new Option(
      '-f, --file <file>',
      'deployment file; else $DOCKERCTL_FILE, ./dockerctl.yaml or /etc/dockerctl/deployment.yaml',
    ),
    new Option('-V, --release <release>', 'release to work on, instead of the one the deployment file names'),
    new Option(
      '--host <url>',
      "engine to talk to: unix://, tcp:// or ssh://; else $DOCKER_HOST, or this host's own",
    ),
    new Option(
      '--state-dir <dir>',
      'where this host keeps catalog, caches and journals; else $DOCKERCTL_STATE_DIR or /var/lib/dockerctl',
    ),
    new Option('--json', 'print the result as one JSON document, and progress as JSON lines on stderr'),
    new Option('-q, --quiet', 'print results and errors only'),
    new Option('-d, --debug', 'print causes and stack traces of errors'),
    new Option('--nodebug').hideHelp(),
    new Option('--no-progress', 'no progress bars'),
    new Option('-y, --yes', 'do not ask before what cannot be undone'),
    new Option('-n, --dry-run', 'print what would be done, and do nothing'),
  ];
}

/** Lets every global option stand behind the command too, except where the command gives the letter its own meaning. */
function acceptGlobalOptions(command: Command): void {
  nameInRefusals(command);
  command.showSuggestionAfterError();
  for (const option of globalOptions()) {
    const taken = command.options.some(
      (own) => own.long === option.long || (own.short !== undefined && own.short === option.short),
    );
    if (!taken) command.addOption(option.hideHelp());
  }
  command.addHelpText('after', '\nGlobal options, such as --dry-run, --yes and --json: see dockerctl --help');
  if (command.commands.length > 0) refuseUnknownHelp(command);
  for (const child of command.commands) acceptGlobalOptions(child);
}

/** Options given before the command and behind it; the later one wins. */
function globalOptionsOf(command: Command): GlobalOptions {
  const chain = chainOf(command);
  const names = new Set(globalOptions().map((option) => option.attributeName()));
  const merged: Record<string, unknown> = {};
  for (const level of chain) {
    for (const [name, value] of Object.entries(level.opts())) {
      if (names.has(name) && level.getOptionValueSource(name) === 'cli') merged[name] = value;
    }
  }
  return merged as GlobalOptions;
}

/** The program, the groups, and the command itself. */
function chainOf(command: Command): Command[] {
  return command.parent === null ? [command] : [...chainOf(command.parent), command];
}

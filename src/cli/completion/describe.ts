import type { Command, Option } from 'commander';

/** One command and what may follow it, as shells need to know it. */
export interface Completable {
  /** From the program's own commands down: `[]`, `['backup']`, `['backup', 'key']`. */
  path: string[];
  /** Its subcommands, or the words that its argument can be. */
  words: { word: string; description: string }[];
  /** The global ones too, which may stand behind any command. */
  options: CompletableOption[];
}

export interface CompletableOption {
  names: string[];
  description: string;
  takesValue: boolean;
}

/** The whole command line, every command before what is below it. Hidden options and commands are left out. */
export function describeCommands(program: Command): Completable[] {
  const [top, ...below] = describe(program, []);
  const everywhere = top?.options.filter(({ names }) => !names.includes('--version')) ?? [];
  const withGlobal = below.map((command) => ({ ...command, options: merge(command.options, everywhere) }));
  return top === undefined ? [] : [top, ...withGlobal];
}

/** `images load` for every command there is. */
export function commandLines(commands: readonly Completable[]): string[] {
  return commands.filter(({ path }) => path.length > 0).map(({ path }) => path.join(' '));
}

/** Every option that is followed by a value, by all its names: the word behind one is never a command. */
export function optionsWithValue(commands: readonly Completable[]): string[] {
  const options = commands.flatMap((command) => command.options).filter(({ takesValue }) => takesValue);
  return [...new Set(options.flatMap(({ names }) => names))].sort();
}

function describe(command: Command, path: string[]): Completable[] {
  const help = command.createHelp();
  const children = help.visibleCommands(command).filter((child) => child.name() !== 'help');
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((word) => ({ word, description })),
  );
  const words = children.map((child) => ({ word: child.name(), description: child.description() }));
  const options = help.visibleOptions(command).map(describeOption);
  const below = children.flatMap((child) => describe(child, [...path, child.name()]));
  return [{ path, words: [...words, ...choices], options }, ...below];
}

function describeOption({ short, long, description, required, optional }: Option): CompletableOption {
  const names = [short, long].filter((name) => name !== undefined);
  return { names, description, takesValue: required || optional };
}

/** A command may give a letter its own meaning; the global option keeps its other name. */
function merge(own: CompletableOption[], global: readonly CompletableOption[]): CompletableOption[] {
  const taken = new Set(own.flatMap(({ names }) => names));
  const rest = global.map((option) => ({
    ...option,
    names: option.names.filter((name) => !taken.has(name)),
  }));
  return [...own, ...rest.filter(({ names }) => names.length > 0)];
}

import type { Command } from 'commander';
import { nearest } from '../../deployment/suggest.ts';

/**
 * Lets a group of commands say so when help is asked for one that it does not have, as without `--help`: commander would
 * show the help of the group, as if all were well.
 */
export function refuseUnknownHelp(group: Command): void {
  group.on('beforeHelp', () => {
    const [first = '', second = ''] = group.args;
    const named = first === 'help' ? second : first;
    const names = ['help', ...group.commands.map((command) => command.name())];
    if (named === '' || named.startsWith('-') || names.includes(named) || takesAnyWord(group)) return;
    const meant = nearest(named, names);
    const suggestion = meant === undefined ? '' : ` (Did you mean ${meant}?)`;
    group.error(`error: unknown command '${named}'${suggestion}`, { code: 'commander.unknownCommand' });
  });
}

/** `backup DIR` is `backup create DIR`. Nothing that commander publishes tells that. */
function takesAnyWord(group: Command): boolean {
  return Reflect.get(group, '_defaultCommandName') != null;
}

/** `help images load` as `images load --help`: commander looks at the first word alone. */
export function helpOfCommand(argv: readonly string[]): string[] {
  const [help, ...words] = argv;
  return help === 'help' && words.length > 1 ? [...words, '--help'] : [...argv];
}

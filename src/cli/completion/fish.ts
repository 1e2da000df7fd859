import { type Completable, commandLines, optionsWithValue } from './describe.ts';

/** A script for fish: a function tells the command before the cursor, and every rule names the one it is for. */
export function fishCompletion(commands: readonly Completable[]): string {
  return `# Completion of dockerctl for fish. Load it with: dockerctl completion fish | source
function __dockerctl_at
    set -l at
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${optionsWithValue(commands).join(' ')}
            set skip 1
        else if contains -- (string join ' ' -- $at $word) ${commandLines(commands).map(quoted).join(' ')}
            set -a at $word
        end
    end
    test "$at" = "$argv"
end
${commands.flatMap(rulesOf).join('\n')}
`;
}

function rulesOf({ path, words, options }: Completable): string[] {
  const here = `complete -c dockerctl -n ${quoted(['__dockerctl_at', ...path].join(' '))}`;
  return [
    ...words.map(({ word, description }) => `${here} -a ${quoted(word)} -d ${quoted(description)}`),
    ...options.map(({ names, description, takesValue }) => {
      const value = takesValue ? ' -r' : '';
      return `${here} ${names.map(flag).join(' ')}${value} -d ${quoted(description)}`;
    }),
  ];
}

function flag(name: string): string {
  return name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

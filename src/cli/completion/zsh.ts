import { type Completable, commandLines, optionsWithValue } from './describe.ts';
import { patterns, singleQuoted } from './quote.ts';

/** A script for zsh: the same walk over the words as for bash, with descriptions beside what it offers. */
export function zshCompletion(commands: readonly Completable[]): string {
  return `#compdef dockerctl
# Completion of dockerctl for zsh. Load it with: source <(dockerctl completion zsh)
_dockerctl() {
  local at='' word i
  local -a offers options
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      (${patterns(optionsWithValue(commands))}) ((i++)) ;;
      (*)
        case "\${at:+$at }$word" in
          (${patterns(commandLines(commands))}) at="\${at:+$at }$word" ;;
        esac
        ;;
    esac
  done
  if ((i != CURRENT)); then # the value of an option
    _files
    return
  fi
  case $at in
${commands.map(offer).join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe option options
  elif (($#offers)); then
    _describe command offers || _files
  else
    _files
  fi
}
compdef _dockerctl dockerctl
`;
}

function offer({ path, words, options }: Completable): string {
  const offers = words.map(({ word, description }) => pair(word, description));
  const flags = options.flatMap(({ names, description }) => names.map((name) => pair(name, description)));
  return `    (${singleQuoted(path.join(' '))}) offers=(${offers.join(' ')}); options=(${flags.join(' ')}) ;;`;
}

/** `name:description`, as `_describe` reads it. */
function pair(name: string, description: string): string {
  return singleQuoted(`${name.replaceAll(':', '\\:')}:${description}`);
}

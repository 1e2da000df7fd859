import { type Completable, commandLines, optionsWithValue } from './describe.ts';
import { patterns, singleQuoted } from './quote.ts';

/** A script for bash: finds the command that stands before the cursor, then offers what may follow it, else files. */
export function bashCompletion(commands: readonly Completable[]): string {
  return `# Completion of dockerctl for bash. Load it with: source <(dockerctl completion bash)
_dockerctl() {
  local at='' word words='' options='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${patterns(optionsWithValue(commands))}) ((i++)) ;;
      *)
        case "\${at:+$at }$word" in
          ${patterns(commandLines(commands))}) at="\${at:+$at }$word" ;;
        esac
        ;;
    esac
  done
  ((i == COMP_CWORD)) || return 0 # the value of an option: a file
  case $at in
${commands.map(offer).join('\n')}
  esac
  word=\${COMP_WORDS[COMP_CWORD]}
  [[ $word != -* ]] || words=$options
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _dockerctl dockerctl
`;
}

function offer({ path, words, options }: Completable): string {
  const list = singleQuoted(words.map(({ word }) => word).join(' '));
  const flags = singleQuoted(options.flatMap(({ names }) => names).join(' '));
  return `    ${singleQuoted(path.join(' '))}) words=${list} options=${flags} ;;`;
}

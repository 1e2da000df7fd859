import { Argument, type Command } from 'commander';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addCompletion(program: Command, wrap: Wrap): void {
  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', '\nFor bash, in ~/.bashrc: source <(dockerctl completion bash)')
    .action(wrap((session, input) => complete(program, session, input)));
}

async function complete(program: Command, session: Session, { args }: ParsedInput): Promise<undefined> {
  const { describeCommands } = await import('../../completion/describe.ts');
  const script = await scriptFor(args[0]);
  session.result(script(describeCommands(program)), (text) => text);
}

async function scriptFor(shell: 'bash' | 'zsh' | 'fish') {
  switch (shell) {
    case 'bash':
      return (await import('../../completion/bash.ts')).bashCompletion;
    case 'zsh':
      return (await import('../../completion/zsh.ts')).zshCompletion;
    case 'fish':
      return (await import('../../completion/fish.ts')).fishCompletion;
  }
}

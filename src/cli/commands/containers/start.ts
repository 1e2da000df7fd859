import type { Command } from 'commander';
import { UsageError } from '../../../support/errors.ts';
import type { Session } from '../../context.ts';
import { expectWholeData, openHost, perform } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { passOutput } from '../../terminal.ts';

export function addStart(program: Command, wrap: Wrap): void {
  program
    .command('start <service...>')
    .description('start services and what they depend on, creating what is missing')
    .option('--attach', 'follow the output of one service; on INT or TERM stop it')
    .action(wrap(start));
}

async function start(session: Session, { args: [names], options }: ParsedInput): Promise<number | undefined> {
  if (options.attach && !session.global.dryRun) return startOneAttached(session, names);
  const { planStart } = await import('../../../lifecycle/plan/start.ts');
  return perform(session, names, planStart);
}

/** Stopped because we were told to, it ended well. */
async function startOneAttached(session: Session, names: string[]): Promise<number> {
  const [name, ...others] = names;
  if (name === undefined || others.length > 0) {
    throw new UsageError('only one service can be attached to', {
      advice: 'Name one, or leave out --attach',
    });
  }
  const { startAttached } = await import('../../../lifecycle/attached.ts');
  const host = await openHost(session);
  await expectWholeData(session, host);
  return (await startAttached(name, host, (output) => passOutput(output, session.io))) ?? 0;
}

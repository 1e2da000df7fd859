import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../../deployment/schema/units.ts';
import type { Session } from '../../context.ts';
import { openHost } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderTable } from '../../render/table.ts';

export function addCheck(program: Command, wrap: Wrap): void {
  program
    .command('check [service...]')
    .description('check whether services are ready, trying every 5 s until their time is up')
    .option('--timeout <duration>', 'give up after so long, such as 30s; 0s tries once', parsePatience)
    .action(wrap(check));
}

async function check(session: Session, { args: [names], options }: ParsedInput): Promise<undefined> {
  const { checkFailure, checkServices } = await import('../../../lifecycle/check.ts');
  const host = await openHost(session);
  const checked = await checkServices(names.length > 0 ? names : ['all'], host, {
    interval: 5,
    timeout: options.timeout,
  });
  session.result(checked, (services) => {
    return renderTable(
      ['NAME', 'READY'],
      services.map(({ name, problem }) => [name, problem === undefined ? 'yes' : `no: ${problem}`]),
    );
  });
  const failure = checkFailure(checked);
  if (failure !== undefined) throw failure;
}

function parsePatience(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
  return seconds;
}

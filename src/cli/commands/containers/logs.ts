import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../../deployment/schema/units.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { passOutput } from '../../terminal.ts';

export function addLogs(program: Command, wrap: Wrap): void {
  program
    .command('logs <service>')
    .description('print what a service has said')
    .option('-f, --follow', 'go on with what it says next')
    .option('--tail <lines>', 'only so many last lines', parseLines)
    .option('--since <when>', 'only from a time (2026-11-22T15:00) or a while ago (10m) on', parseSince)
    .option('-t, --timestamps', 'with the time of every line')
    .action(wrap(logs));
}

async function logs(session: Session, { args: [name], options }: ParsedInput): Promise<undefined> {
  const { containerOf } = await import('../../../lifecycle/container-of.ts');
  const engine = await session.engine();
  const { id } = await containerOf(await session.deployment(), engine, name);
  const output = await engine.containers.logs(id, {
    follow: options.follow === true,
    timestamps: options.timestamps === true,
    tail: options.tail,
    since: options.since,
  });
  session.context.signal.addEventListener('abort', () => output.close());
  await passOutput(output, session.io);
}

function parseLines(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a number of lines.');
  return Number(text);
}

function parseSince(text: string): Date {
  const seconds = parseDuration(text);
  const time = seconds === undefined ? Date.parse(text) : Date.now() - seconds * 1000;
  if (Number.isNaN(time)) throw new InvalidArgumentError('It must be a time, or a duration such as 10m.');
  return new Date(time);
}

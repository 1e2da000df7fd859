import { runInNewContext } from 'node:vm';
import type { BusyCheck } from '../../deployment/backup-settings.ts';
import { BusyError, ContainerStateError, FailedError, messageOf } from '../../support/errors.ts';
import { type CommandResult, describeFailure } from '../../support/run-command.ts';
import { runWhereSaid, type Surroundings } from '../run-where-said.ts';

export type BusyAnswer = {
  check: BusyCheck;
} & (
  | { kind: 'idle' }
  /** `line` is what matched. */
  | { kind: 'busy'; line: string }
  | { kind: 'not running'; cause: unknown }
  | { kind: 'no answer'; cause: unknown }
);

/** Puts every check's question at once. Throws only when `signal` aborts. */
export async function askWhetherBusy(
  checks: readonly BusyCheck[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<BusyAnswer[]> {
  const answers = await Promise.all(checks.map((check) => ask(check, surroundings, signal)));
  signal.throwIfAborted();
  return answers;
}

/**
 * Lets work go on only when every answer was no.
 * @throws {BusyError} for the first that was yes, else for the first that did not come.
 */
export function refuseUnlessIdle(answers: readonly BusyAnswer[], work: string): void {
  for (const { check, ...answer } of answers) {
    if (answer.kind !== 'busy') continue;
    throw new BusyError(`${work}: refused while ${check.name}`, {
      advice: 'Wait until it is over and try again',
      facts: { check: check.name, matched: answer.line },
    });
  }
  for (const { check, ...answer } of answers) {
    if (answer.kind === 'idle' || answer.kind === 'busy') continue;
    const why = messageOf(answer.cause);
    const start = answer.kind === 'not running' ? `Start ${check.service}` : undefined;
    const answering = `Make \`${check.command.join(' ')}\` answer${where(check)}`;
    throw new BusyError(`${work}: refused, for nobody can tell whether ${check.name}: ${why}`, {
      advice: `${start ?? answering}, or take the check out of refuse-while`,
      facts: { check: check.name },
      cause: answer.cause,
    });
  }
}

async function ask(check: BusyCheck, surroundings: Surroundings, signal: AbortSignal): Promise<BusyAnswer> {
  try {
    return judge(check, await runWhereSaid(check, surroundings, signal));
  } catch (cause) {
    return { check, kind: cause instanceof ContainerStateError ? 'not running' : 'no answer', cause };
  }
}

/** More than is kept of an answer could hide the line that matters, so it is none. */
const longestAnswer = 1024 * 1024;

function judge(check: BusyCheck, result: CommandResult): BusyAnswer {
  const { status, stdout } = result;
  const match = firstMatch(check, stdout);
  if (match !== null) return { check, kind: 'busy', line: lineAround(stdout, match.index) };
  if (status !== 0) {
    const cause = new FailedError(`${describeFailure(result)} (an answer ends with exit 0)`);
    return { check, kind: 'no answer', cause };
  }
  if (Buffer.byteLength(stdout) >= longestAnswer) {
    return { check, kind: 'no answer', cause: new FailedError('it printed more than 1 MiB') };
  }
  return { check, kind: 'idle' };
}

/** Seconds. There are expressions that would look through a single line until the end of days. */
const matchingLimit = 10;

function firstMatch({ matches }: BusyCheck, text: string): RegExpExecArray | null {
  try {
    const timeout = matchingLimit * 1000;
    return runInNewContext("new RegExp(matches, 'm').exec(text)", { matches, text }, { timeout });
  } catch (cause) {
    throw new FailedError(`looking for /${matches}/ took more than ${matchingLimit} seconds`, { cause });
  }
}

function lineAround(text: string, index: number): string {
  const begin = text.lastIndexOf('\n', index - 1) + 1;
  const end = text.indexOf('\n', index);
  return text.slice(begin, end < 0 ? undefined : end).trim();
}

function where({ service }: BusyCheck): string {
  return service === undefined ? '' : ` in ${service}`;
}

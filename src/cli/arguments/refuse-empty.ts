import type { Command, Option } from 'commander';
import { UsageError } from '../../support/errors.ts';

/**
 * Refuses options that were given an empty value, those of the commands above too: a variable of the shell that was never set
 * must not mean something else than what was asked.
 * @throws {UsageError} naming the first
 */
export function refuseEmptyOptions(command: Command): void {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) if (isEmpty(option, at)) throw givenNothing(option);
  }
}

function isEmpty(option: Option, command: Command): boolean {
  const name = option.attributeName();
  if (command.getOptionValueSource(name) !== 'cli') return false;
  const value: unknown = command.getOptionValue(name);
  return value === '' || (Array.isArray(value) && value.includes(''));
}

function givenNothing({ long, flags, description }: Option): UsageError {
  return new UsageError(`${long}: its value is empty`, {
    advice: `Give it what it asks for, or leave it away: ${flags}  ${description}`,
  });
}

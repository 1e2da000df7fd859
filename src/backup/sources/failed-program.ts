import type { SourceWriter } from '../../repository/run/run.ts';
import { DockerctlError, messageOf } from '../../support/errors.ts';

/**
 * Says why what a program prints is not in the source; where the program complained of more than that, all of it too.
 */
export function failWithWords(error: unknown, { fail, warn }: Pick<SourceWriter, 'fail' | 'warn'>): void {
  const message = messageOf(error);
  fail(message);
  const words = error instanceof DockerctlError ? error.facts.stderr : undefined;
  if (typeof words === 'string' && !message.includes(words.trim())) warn(words.trim());
}

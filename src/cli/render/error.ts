import { DockerctlError, isForbidden, messageOf } from '../../support/errors.ts';
import type { Io } from '../io.ts';
import { printable } from './table.ts';

/** An error as the operator sees it: what was done to what and what went wrong, then what to do next. */
export function renderError(error: unknown, status: number, io: Io): string {
  if (io.argv.includes('--json')) return `${JSON.stringify(describe(error, status))}\n`;
  const lines = [`dockerctl: ${oneLine(messageOf(error))}`];
  if (error instanceof DockerctlError) {
    if (error.advice !== undefined) lines.push(`  ${oneLine(error.advice)}`);
  } else {
    lines.push(`  ${isForRoot(error) ? 'Run it as root: this user may not' : unexpected}`);
  }
  if (io.argv.some((argument) => argument === '-d' || argument === '--debug')) lines.push(...causes(error));
  return `${lines.join('\n')}\n`;
}

const unexpected = 'This is unexpected; -d shows where it happened.';

/** Nearly everything here is root's; whoever tries it as somebody else did nothing unexpected. */
function isForRoot(error: unknown): boolean {
  return isForbidden(error) && process.geteuid?.() !== 0;
}

function describe(error: unknown, status: number) {
  const known = error instanceof DockerctlError ? error : undefined;
  return {
    error: {
      name: known?.name ?? 'Error',
      message: messageOf(error),
      advice: known?.advice,
      facts: known?.facts ?? {},
      exit: status,
    },
  };
}

function* causes(error: unknown): Generator<string> {
  for (let at = error; at instanceof Error; at = at.cause) yield at.stack ?? at.message;
}

/** Names in a message may be a stranger's: what a terminal would obey does not reach it. */
function oneLine(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, ' '));
}

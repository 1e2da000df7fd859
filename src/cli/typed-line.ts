import { Writable } from 'node:stream';
import type { Io } from './io.ts';

export interface Question {
  prompt: string;
  /** Whether what is typed stays off the screen. */
  secret?: boolean;
  /** Which line is the answer, where it is not the first. */
  isAnswer?: (line: string) => boolean;
}

/**
 * Asks at the terminal, on stderr, and waits for a line. `undefined`: the answer was Ctrl-C or Ctrl-D, or `signal`
 * aborted; what is printed next begins a line of its own all the same.
 */
export async function askForLine(
  { stdin, stderr }: Io,
  { prompt, secret = false, isAnswer = () => true }: Question,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  const output = secret ? nowhere() : stderr;
  const terminal = createInterface({ input: stdin, output, terminal: true, prompt, signal });
  if (secret) stderr.write(prompt);
  terminal.prompt();
  let answer: string | undefined;
  for await (const line of terminal) {
    if (!isAnswer(line)) continue;
    answer = line;
    break;
  }
  if (secret || answer === undefined) stderr.write('\n');
  return answer;
}

function nowhere(): Writable {
  return new Writable({ write: (_piece, _encoding, done) => done() });
}

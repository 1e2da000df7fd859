import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

/** Which of the system calls of a process shall fail. */
export interface Failure {
  /** Only calls on files below it count. */
  below: string;
  /** Of these the number of the one that fails, from 1 on; 0: none does, and all are told of. */
  at: number;
  error: keyof typeof constants.errno;
  /** Whether all fail from then on. */
  lasting: boolean;
  on: CallsThatCount;
}

/** Those that change something, those that open a file, or all. */
export type CallsThatCount = 'changes' | 'opening' | 'everything';

/** As the library names them: each call has one letter or more. */
const letters: Record<CallsThatCount, string> = { changes: 'w', opening: 'o', everything: 'rw' };

/** Of the calls that were told of, those that a failure can be one of, in their order. */
export function callsThatCount(
  calls: readonly string[],
  { below, on }: Pick<Failure, 'below' | 'on'>,
): string[] {
  return calls.filter((call) => {
    const [kind = '', , path = ''] = call.split(' ');
    return [...letters[on]].some((letter) => kind.includes(letter)) && isBelow(path, below);
  });
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** Makes system calls of processes fail, with a library that is preloaded into them. */
export class FailingCalls {
  readonly #library: string;
  readonly #log: string;

  /** @param scratch where the library may lie */
  constructor(scratch: string) {
    this.#library = join(scratch, 'failing-calls.so');
    this.#log = join(scratch, 'failed-calls');
    needCompiler();
    const source = join(import.meta.dirname, 'failing-calls.c');
    execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', this.#library, source, '-ldl']);
  }

  /** The environment of a process that shall meet the failure. */
  environment({ below, at, error, lasting, on }: Failure): Record<string, string> {
    rmSync(this.#log, { force: true });
    return {
      LD_PRELOAD: this.#library,
      FAIL_BELOW: below,
      FAIL_AT: String(at),
      FAIL_WITH: String(constants.errno[error]),
      FAIL_ON: letters[on],
      FAIL_LOG: this.#log,
      ...(lasting && { FAIL_LASTING: 'yes' }),
    };
  }

  /** The calls that failed in the process that was started last, each with its file. */
  failed(): string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').slice(0, -1) : [];
  }
}

function needCompiler(): void {
  if (existsSync('/usr/bin/gcc') && existsSync('/usr/include/dlfcn.h')) return;
  execFileSync('scripts/apt-install', ['gcc', 'libc6-dev'], { stdio: 'pipe' });
}

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
  /** Those that change something, or all. */
  on: 'changes' | 'everything';
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
      FAIL_ON: on === 'everything' ? 'rw' : 'w',
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

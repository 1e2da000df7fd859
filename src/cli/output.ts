import { fchmodSync, fstatSync, statSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { codeOf, FailedError, isDiskFull, messageOf, NoSpaceError } from '../support/errors.ts';
import type { Io } from './io.ts';

/**
 * This process's standard output, to which every byte is written or an error tells of it. Node's own stream takes it for whole when a
 * file takes only a part, as on a disk that fills up, and drops what is meant for a block device.
 */
export function standardOutput(own: NodeJS.WriteStream & { fd: 1 }): Io['stdout'] {
  const status = fstatSync(own.fd);
  return own.isTTY || status.isFIFO() || status.isSocket() ? own : new FileOutput(own.fd);
}

class FileOutput extends Writable {
  readonly #file: number;

  constructor(file: number) {
    super();
    this.#file = file;
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  get isDiscarded(): boolean {
    const status = fstatSync(this.#file);
    return status.isCharacterDevice() && status.rdev === statSync('/dev/null').rdev;
  }

  keepFromOthers(): void {
    try {
      if (fstatSync(this.#file).isFile()) fchmodSync(this.#file, 0o600);
    } catch {
      // Sticks have file systems without modes, and files of others are theirs.
    }
  }
}

/** Milliseconds that a reader has for what a command says that was asked to end. */
const lastWords = 1000;

/** What becomes of all that a command prints. */
export interface PrintedOutput {
  /** What is printed from here on tells of work that is done for good, whoever hears of it. */
  tellsOfWork(): void;
  /**
   * Waits until it is written, as `written` does. Throws when something took less than all of it; not when nobody reads it, nor when the command is going to end
   * with a `status` that says more: then a warning tells.
   */
  finish(status: number, signal: AbortSignal): Promise<void>;
  /**
   * Waits until all that was printed is written. Its reader may have stopped reading: throws when the command is asked to end
   * meanwhile, and waits a second at most when it has been asked before.
   */
  written(signal: AbortSignal): Promise<void>;
  /** What the operator is to hear of instead of what was thrown, if that came from our output; nothing when nobody reads it. */
  explain(thrown: unknown): unknown;
}

/**
 * A result that is cut short is a failure; a reader that went away (`dockerctl list | head -1`) is none of ours. What tells of work that is
 * done takes nothing of it back: a warning says so, but for machines (`--json`) its document is a result like any other. A command that has
 * something to tell by its exit status (damage, say) tells that: it is what must be acted on.
 */
export function watchOutput({ argv, stdout, stderr }: Pick<Io, 'argv' | 'stdout' | 'stderr'>): PrintedOutput {
  let failure: Error | undefined;
  let isDone = false;
  stdout.on('error', (error) => {
    failure ??= error;
  });
  stderr.on('error', () => {}); // There is nobody to tell.
  const written = (signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stdout.write('', () => resolve());
    if (!signal.aborted) signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const patience = signal.aborted ? setTimeout(resolve, lastWords) : undefined;
    return promise.finally(() => clearTimeout(patience));
  };
  return {
    written,
    tellsOfWork() {
      isDone = true;
    },
    async finish(status, signal) {
      await written(signal);
      if (failure === undefined || hasNoReader(failure)) return;
      const isJson = argv.includes('--json');
      if (status === 0 && (!isDone || isJson)) throw unwritten(failure, isDone);
      const lost = isDone
        ? 'the work is done, only this report of it is cut short'
        : 'this result is cut short';
      const warning = `${whyUnwritten(failure)}: ${lost}`;
      stderr.write(isJson ? `${JSON.stringify({ warning })}\n` : `dockerctl: warning: ${warning}\n`);
    },
    explain(thrown) {
      const isOurs = failure !== undefined && (thrown === failure || isAfterFailure(thrown));
      if (failure === undefined || !isOurs) return thrown;
      return hasNoReader(failure) ? undefined : unwritten(failure, isDone);
    },
  };
}

/** The pipe was closed, or the terminal. */
function hasNoReader(failure: Error): boolean {
  return ['EPIPE', 'EIO'].includes(codeOf(failure) ?? '');
}

function isAfterFailure(thrown: unknown): boolean {
  return ['ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE'].includes(codeOf(thrown) ?? '');
}

function unwritten(cause: Error, isDone: boolean): Error {
  const advice = isDone
    ? 'The work is done, do not run it again: only this report of it is cut short'
    : 'Make room there and run it again: what was printed is cut short';
  if (isDiskFull(cause)) return new NoSpaceError(whyUnwritten(cause), { advice, cause });
  return new FailedError(whyUnwritten(cause), { ...(isDone && { advice }), cause });
}

function whyUnwritten(cause: Error): string {
  return `writing to standard output: ${messageOf(cause)}`;
}

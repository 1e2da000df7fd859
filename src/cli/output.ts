import { fstatSync, writeSync } from 'node:fs';
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
}

/** What becomes of all that a command prints. */
export interface PrintedOutput {
  /** Waits until it is written. Throws when something took less than all of it; not when nobody reads it. */
  finish(): Promise<void>;
  /** What the operator is to hear of instead of what was thrown, if that came from our output; nothing when nobody reads it. */
  explain(thrown: unknown): unknown;
}

/** A result that is cut short is a failure; a reader that went away (`dockerctl list | head -1`) is none of ours. */
export function watchOutput({ stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>): PrintedOutput {
  let failure: Error | undefined;
  stdout.on('error', (error) => {
    failure ??= error;
  });
  stderr.on('error', () => {}); // There is nobody to tell.
  return {
    async finish() {
      await new Promise((resolve) => stdout.write('', resolve));
      if (failure !== undefined && !hasNoReader(failure)) throw unwritten(failure);
    },
    explain(thrown) {
      const isOurs = failure !== undefined && (thrown === failure || isAfterFailure(thrown));
      if (failure === undefined || !isOurs) return thrown;
      return hasNoReader(failure) ? undefined : unwritten(failure);
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

function unwritten(cause: Error): Error {
  const what = `writing to standard output: ${messageOf(cause)}`;
  if (!isDiskFull(cause)) return new FailedError(what, { cause });
  return new NoSpaceError(what, {
    advice: 'Make room there and run it again: what was printed is cut short',
    cause,
  });
}

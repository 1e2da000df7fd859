import { Readable } from 'node:stream';
import { FailedError } from '../../support/errors.ts';
import type { OutputStreams } from '../engine.ts';

const headerLength = 8;

/**
 * A container's output as two streams. With a tty the engine sends bytes as they are; else it sends frames, each with
 * a header of 8 bytes: the stream (2 is standard error), three zeros,
 * and the length as a big-endian uint32 (Engine API, "Attach to a container").
 *
 * Bytes are passed on as they come, however long their frame is. A reader that falls behind on either stream stops
 * the connection.
 */
export function outputOf(connection: Readable, tty: boolean): OutputStreams {
  const full = new Set<Readable>();
  const [stdout, stderr] = [newOutput(), newOutput()];
  const frames = createSplitter((kind, data) => pass(kind === 2 ? stderr : stdout, data));
  connection.on('data', (data: Buffer) => {
    if (tty) pass(stdout, data);
    else frames.split(data);
  });
  connection.on('end', () => {
    if (frames.isOpen()) stdout.destroy(new FailedError("reading a container's output: it was cut off"));
    end();
    // The engine has hung up, but a writer of input that nobody reads could wait for ever.
    connection.destroy();
  });
  connection.on('close', end);
  connection.on('error', (error) => {
    if (!isWriteError(error)) stdout.destroy(error);
  });
  return { stdout, stderr, close: () => connection.destroy() };

  function newOutput(): Readable {
    return new Readable({
      read() {
        full.delete(this);
        if (full.size === 0) connection.resume();
      },
    });
  }

  function pass(output: Readable, data: Buffer): void {
    if (output.push(data)) return;
    full.add(output);
    connection.pause();
  }

  /** Pushing the end twice does nothing. */
  function end(): void {
    stdout.push(null);
    stderr.push(null);
  }
}

/** Input that nobody read any more breaks the connection's other direction; how the command ended is told elsewhere. */
function isWriteError(error: Error): boolean {
  return (error as NodeJS.ErrnoException).syscall === 'write';
}

/** Takes the connection's bytes, cut anywhere, and passes on the content of frames. */
function createSplitter(pass: (kind: number, data: Buffer) => void) {
  let header = Buffer.alloc(0);
  let left = 0;
  return {
    split(data: Buffer): void {
      let rest = data;
      while (rest.length > 0) {
        if (left === 0) {
          const missing = headerLength - header.length;
          header = Buffer.concat([header, rest.subarray(0, missing)]);
          rest = rest.subarray(missing);
          if (header.length < headerLength) return;
          left = header.readUInt32BE(4);
        }
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        if (piece.length > 0) pass(header.readUInt8(0), piece);
        if (left === 0) header = Buffer.alloc(0);
      }
    },
    isOpen: () => header.length > 0,
  };
}

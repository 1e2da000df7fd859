import { Readable } from 'node:stream';
import { codeOf, FailedError } from '../../support/errors.ts';
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
  const readers = new Readers(connection);
  const [stdout, stderr] = [readers.open(), readers.open()];
  const frames = createSplitter((kind, data) => readers.pass(kind === 2 ? stderr : stdout, data));
  connection.on('data', (data: Buffer) => {
    if (tty) readers.pass(stdout, data);
    else frames.split(data);
  });
  const end = () => {
    // Pushing the end twice does nothing.
    stdout.push(null);
    stderr.push(null);
  };
  const hungUp = () => {
    if (frames.isOpen()) stdout.destroy(new FailedError("reading a container's output: it was cut off"));
    end();
    // The engine has hung up, but a writer of input that nobody reads could wait for ever.
    connection.destroy();
  };
  const isReset = resetBehindAll(connection);
  connection.on('end', hungUp);
  connection.on('close', end);
  connection.on('error', (error) => {
    if (isReset(error)) hungUp();
    else if (!isWriteError(error)) stdout.destroy(error);
  });
  return { stdout, stderr, close: () => connection.destroy() };
}

/** Streams fed from one connection, which waits while the reader of any is behind. */
class Readers {
  readonly #connection: Readable;
  readonly #full = new Set<Readable>();

  constructor(connection: Readable) {
    this.#connection = connection;
  }

  open(): Readable {
    const reader: Readable = new Readable({
      read: () => {
        this.#full.delete(reader);
        if (this.#full.size === 0) this.#connection.resume();
      },
    });
    return reader;
  }

  pass(reader: Readable, data: Buffer): void {
    if (reader.push(data)) return;
    this.#full.add(reader);
    this.#connection.pause();
  }
}

/**
 * Tells the end of a connection whose input was not read to its end. Over a unix socket the kernel gives all that was
 * said before it; over TCP the reset may have overtaken some of it.
 */
function resetBehindAll(connection: Readable & { remoteAddress?: string }): (error: Error) => boolean {
  const isUnix = connection.remoteAddress === undefined;
  return (error) => isUnix && codeOf(error) === 'ECONNRESET' && !isWriteError(error);
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

import { within } from '../../support/deadline.ts';
import { ConnectionError } from './messages.ts';

/**
 * Bytes that must come in a second of waiting, on average: the slowest line that anybody would send a backup over is
 * quicker.
 */
const slowest = 1024;

/**
 * Passes on what comes, and ends when nothing comes in so many seconds, or next to nothing: who has fallen silent, or
 * sends byte by byte, must not keep everybody else out. Only time that is spent waiting for the other side counts.
 * @throws {ConnectionError}
 */
export async function* whileHeard(
  input: AsyncIterable<Uint8Array>,
  seconds: number,
): AsyncGenerator<Uint8Array> {
  const pieces = input[Symbol.asyncIterator]();
  let waited = 0;
  let heard = 0;
  for (;;) {
    const asked = performance.now();
    const { done, value } = await within(seconds, pieces.next(), () => silent(seconds));
    if (done) return;
    waited += (performance.now() - asked) / 1000;
    heard += value.length;
    if (waited >= seconds) {
      if (heard < slowest * seconds) throw tooSlow(heard, seconds);
      [waited, heard] = [0, 0];
    }
    yield value;
  }
}

function tooSlow(heard: number, seconds: number): ConnectionError {
  return new ConnectionError(
    `carrying a snapshot: no more than ${heard} bytes came in ${seconds} seconds from the other side`,
    { advice: 'Send it again over a quicker line: what has arrived is not sent twice' },
  );
}

function silent(seconds: number): ConnectionError {
  return new ConnectionError(`carrying a snapshot: the other side has said nothing for ${seconds} seconds`, {
    advice: 'Send it again: what has arrived is not sent twice',
  });
}

import { ConnectionError } from './messages.ts';

/**
 * Passes on what comes, and ends when nothing comes for so many seconds: who has fallen silent must not keep everybody else out.
 * @throws {ConnectionError}
 */
export async function* whileHeard(
  input: AsyncIterable<Uint8Array>,
  seconds: number,
): AsyncGenerator<Uint8Array> {
  const pieces = input[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await within(pieces.next(), seconds);
    if (done) return;
    yield value;
  }
}

async function within<T>(promise: Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silent(seconds)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function silent(seconds: number): ConnectionError {
  return new ConnectionError(`carrying a snapshot: the other side has said nothing for ${seconds} seconds`, {
    advice: 'Send it again: what has arrived is not sent twice',
  });
}

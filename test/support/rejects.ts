import * as assert from 'uvu/assert';

/** Awaits a rejection of that class and returns it. */
export async function rejects<E extends Error>(
  act: () => Promise<unknown>,
  type: abstract new (...args: never[]) => E,
): Promise<E> {
  try {
    await act();
  } catch (error) {
    assert.instance(error, type, String((error as Error)?.stack));
    return error as E;
  }
  throw new assert.Assertion({
    message: `expected it to be refused with ${type.name}`,
    operator: 'rejects',
  } as never);
}

/** What a promise is rejected with, whichever error that is. */
export async function failure(promise: Promise<unknown>): Promise<Error & { advice?: string }> {
  return rejects(() => promise, Error);
}

/** The same items, until the signal is aborted: then it throws the signal's reason. */
export async function* interruptible<T>(items: AsyncIterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  for await (const item of items) {
    signal?.throwIfAborted();
    yield item;
  }
}

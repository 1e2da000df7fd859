import { once } from 'node:events';
import type { Session } from '../context.ts';

/** How one item looks. */
export interface ItemRendering<T> {
  line(item: T): string;
  json(item: T): unknown;
}

/**
 * Prints a result that may be too long for memory, item by item: a line each, or with `--json` one document, an array.
 * Waits for a reader that is slower.
 */
export async function printList<T>(
  session: Session,
  items: AsyncIterable<T>,
  render: ItemRendering<T>,
): Promise<void> {
  const { json = false } = session.global;
  let first = true;
  for await (const item of items) {
    const text = json
      ? `${first ? '[' : ','}\n${JSON.stringify(render.json(item))}`
      : `${render.line(item)}\n`;
    first = false;
    await write(session, text);
  }
  if (json) await write(session, first ? '[]\n' : '\n]\n');
}

/** Bytes or text on stdout, at the speed of who reads them; no longer than until the command is asked to end. */
export async function write(
  { io: { stdout }, context: { signal } }: Session,
  data: string | Uint8Array,
): Promise<void> {
  signal.throwIfAborted();
  if (stdout.write(data)) return;
  await once(stdout, 'drain', { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

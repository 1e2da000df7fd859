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

/** Bytes or text on stdout, at the speed of who reads them. */
export async function write({ io: { stdout } }: Session, data: string | Uint8Array): Promise<void> {
  if (!stdout.write(data)) await once(stdout, 'drain');
}

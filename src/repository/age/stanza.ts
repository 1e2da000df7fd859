import { decodeBase64, encodeBase64 } from './base64.ts';

/** One recipient's section of a header: the wrapped file key and what its kind of recipient needs to unwrap it. */
export interface Stanza {
  /** The kind of recipient first (`X25519`), then its arguments; visible ASCII, never empty. */
  args: string[];
  body: Uint8Array;
}

const columns = 64;

/** Source of the format: C2SP age specification, "Recipient stanza". */
export function encodeStanza({ args, body }: Stanza): string {
  const text = encodeBase64(body);
  const lines = [`-> ${args.join(' ')}`];
  // The body ends with its first short line, so a body of whole lines ends with an empty one.
  for (let i = 0; i <= text.length; i += columns) lines.push(text.slice(i, i + columns));
  return `${lines.join('\n')}\n`;
}

/**
 * Reads the stanza that begins at `lines[at]`; `next` is the first line behind it. Returns `undefined` when it is
 * malformed in any way.
 */
export function decodeStanza(
  lines: readonly string[],
  at: number,
): { stanza: Stanza; next: number } | undefined {
  const [arrow, ...args] = lines[at]?.split(' ') ?? [];
  if (arrow !== '->' || args.length === 0 || !args.every((arg) => /^[\x21-\x7e]+$/.test(arg)))
    return undefined;
  const body: Uint8Array[] = [];
  for (let next = at + 1; next < lines.length; next++) {
    const line = lines[next] ?? '';
    const bytes = line.length <= columns ? decodeBase64(line) : undefined;
    if (bytes === undefined) return undefined;
    body.push(bytes);
    if (line.length < columns) return { stanza: { args, body: Buffer.concat(body) }, next: next + 1 };
  }
  return undefined;
}

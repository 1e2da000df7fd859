/**
 * Names are bytes, JSON is text. Under `key` stands a name that is valid UTF-8, under `key64` the base64 of any
 * other. In memory a name has one character per byte (latin1).
 */
export function encodeName(key: string, name: string): string {
  if (isAscii(name)) return `"${key}":${JSON.stringify(name)}`;
  const bytes = Buffer.from(name, 'latin1');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return `"${key}":${JSON.stringify(text)}`;
  return `"${key}64":"${bytes.toString('base64')}"`;
}

/** The name under `key` or `key64` of a parsed line; `undefined` when there is neither. */
export function decodeName(line: Record<string, unknown>, key: string): string | undefined {
  const text = line[key];
  if (typeof text === 'string') return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
  const base64 = line[`${key}64`];
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('latin1') : undefined;
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

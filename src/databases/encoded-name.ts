/**
 * A name for a file or directory that stands for any other name: what is neither a letter nor a digit nor among `plain`
 * is percent-encoded, byte by byte.
 */
export function encodedName(name: string, plain: string): string {
  return Array.from(Buffer.from(name, 'utf8'), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9]/.test(character) || plain.includes(character)) return character;
    return `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }).join('');
}

/** The name that an encoded one stands for. */
export function decodedName(encoded: string): string {
  const bytes = encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

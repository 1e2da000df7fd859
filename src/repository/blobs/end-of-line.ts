/** Where the line that begins at `from` ends: at its newline, or where the text does. */
export function endOfLine(text: Buffer, from: number): number {
  const newline = text.indexOf(0x0a, from);
  return newline < 0 ? text.length : newline;
}

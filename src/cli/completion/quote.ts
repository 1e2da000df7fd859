/** A word that bash and zsh take as it is. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Alternatives of a `case`. */
export function patterns(words: readonly string[]): string {
  return words.map(singleQuoted).join(' | ');
}

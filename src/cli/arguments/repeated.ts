/** Gathers the words of an option that may be given several times. */
export function repeated(word: string, before: readonly string[] = []): string[] {
  return [...before, word];
}

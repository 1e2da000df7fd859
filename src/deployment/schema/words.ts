/**
 * Splits a command written as one string into its words the way a shell would, without running one: blanks separate,
 * quotes and backslashes hold together. Nothing is expanded. `undefined` when a quote is not closed.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  const word = /\s*((?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+)/y;
  let at = 0;
  while (line.slice(at).trim() !== '') {
    word.lastIndex = at;
    const match = word.exec(line);
    if (match === null) return undefined;
    words.push(unquoted(match[1] ?? ''));
    at = word.lastIndex;
  }
  return words;
}

function unquoted(word: string): string {
  return word.replace(/\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"/g, (_, escaped, single, double) => {
    return escaped ?? single ?? (double as string).replace(/\\(["\\$`])/g, '$1');
  });
}

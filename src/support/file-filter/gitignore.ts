import { fromText } from '../posix/byte-path.ts';

/** One line in the syntax of gitignore(5). Like git's own, it looks at bytes: `?` is one byte. */
export interface Pattern {
  /** It began with `!`. */
  negated: boolean;
  /** It ended with `/`. */
  directoriesOnly: boolean;
  /** Against a path without leading slash, one character per byte. */
  matches: RegExp;
}

/** Blank lines and comments are left out. */
export function parsePatterns(lines: readonly string[]): Pattern[] {
  return lines.map((line) => withoutTrailingSpaces(fromText(line))).flatMap(parsePattern);
}

/** What the last pattern that matches says: `true`, or `false` when it is negated; `undefined` when none does. */
export function lastMatch(
  patterns: readonly Pattern[],
  path: string,
  isDirectory: boolean,
): boolean | undefined {
  const found = patterns.findLast(
    (pattern) => (isDirectory || !pattern.directoriesOnly) && pattern.matches.test(path),
  );
  return found === undefined ? undefined : !found.negated;
}

/** A space stays behind a backslash that nothing escapes. */
function withoutTrailingSpaces(line: string): string {
  return line.replace(/^((?:[^\\]|\\.)*?) +$/s, '$1');
}

function parsePattern(line: string): Pattern[] {
  if (line === '' || line.startsWith('#')) return [];
  const negated = line.startsWith('!');
  const glob = negated ? line.slice(1) : line;
  const directoriesOnly = glob.endsWith('/');
  const body = directoriesOnly ? glob.slice(0, -1) : glob;
  const anchored = body.includes('/');
  const expression = `^${anchored ? '' : '(?:.*/)?'}${translatePath(body.replace(/^\//, ''))}$`;
  return [{ negated, directoriesOnly, matches: new RegExp(expression, 's') }];
}

/**
 * `**` between slashes stands for any directories, at the end for everything inside. All but the last take as few as
 * they can and never more, as stars in a name do: else directories in directories would keep them busy.
 */
function translatePath(glob: string): string {
  const parts = partsOf(glob);
  if (parts === undefined) return never;
  const [first = [], ...between] = sectionsOf(parts);
  const last = between.pop();
  if (last === undefined) return first.join('/');
  const path = (names: readonly string[]) => names.map((name) => `${name}/`).join('');
  const once = (names: readonly string[], i: number) => `(?=(?<d${i}>(?:[^/]*/)*?${path(names)}))\\k<d${i}>`;
  const end = last.length === 0 ? '.+' : `(?:.*/)?${last.join('/')}`;
  return `${path(first)}${between.map(once).join('')}${end}`;
}

/** The names between the double stars. */
function sectionsOf(parts: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const [i, part] of parts.entries()) {
    if (/^\*\*+$/.test(part)) sections.push([]);
    else sections.at(-1)?.push(translateName(part, i));
  }
  return sections;
}

/** Cut at its slashes, but for those in a set, which match nothing; `undefined` when it is no glob. */
function partsOf(glob: string): string[] | undefined {
  const parts = [''];
  for (let i = 0; i < glob.length; ) {
    const token = tokenAt(glob, i);
    if (token === undefined) return undefined;
    if (token.expression === slash) parts.push('');
    else parts.push(`${parts.pop()}${glob.slice(i, token.end)}`);
    i = token.end;
  }
  return parts;
}

const never = '(?!)';
const star = '[^/]*';
const slash = literal('/');

/**
 * Of three stars and more, all but the last take as little as they can and never more: what is between two stars has
 * one length, so the first place where it fits is as good as any. Else a name of 250 dashes would keep `*-*-*-*-*` busy
 * for hours.
 *
 * @param part tells the names of groups from those of other parts
 */
function translateName(glob: string, part: number): string {
  const pieces = piecesOf(glob);
  if (pieces.length < 4) return pieces.join(star);
  const [first, ...between] = pieces;
  const last = between.pop();
  const once = (piece: string, i: number) => `(?=(?<p${part}x${i}>[^/]*?${piece}))\\k<p${part}x${i}>`;
  return `${first}${between.map(once).join('')}${star}${last}`;
}

/** What is between the stars. */
function piecesOf(glob: string): string[] {
  const pieces = [''];
  for (let token = tokenAt(glob, 0); token !== undefined; token = tokenAt(glob, token.end)) {
    if (token.expression !== star) pieces.push(`${pieces.pop()}${token.expression}`);
    else if (pieces.at(-1) !== '' || pieces.length === 1) pieces.push('');
  }
  return pieces;
}

/** A regular expression for what begins there, and where that ends; `undefined` at the end, or when it is no glob. */
interface Token {
  expression: string;
  end: number;
}

function tokenAt(glob: string, start: number): Token | undefined {
  const character = glob[start];
  if (character === '[') return translateSet(glob, start);
  if (character === '*') return { expression: star, end: start + 1 };
  if (character === '?') return { expression: '[^/]', end: start + 1 };
  const end = character === '\\' ? start + 2 : start + 1;
  return end > glob.length ? undefined : { expression: literal(glob[end - 1] ?? ''), end };
}

/** `[a-z]`, `[!a]`, `[[:digit:]]`; `]` right after the opening stands for itself. */
function translateSet(glob: string, start: number): Token | undefined {
  let at = start + 1;
  const negated = glob[at] === '!' || glob[at] === '^';
  if (negated) at++;
  let set = '';
  for (let first = true; first || glob[at] !== ']'; first = false) {
    const token = /^\[:([^\]]*):\]|^\\?(.)(?:-\\?([^\]]))?/s.exec(glob.slice(at));
    if (token === null) return undefined;
    const [whole, named, from = '', to] = token;
    const range = named === undefined ? rangeOf(from, to) : namedSets.get(named);
    if (range === undefined) return undefined;
    set += range;
    at += whole.length;
  }
  return { expression: `(?!/)[${negated ? '^' : ''}${set}]`, end: at + 1 };
}

/** Of a range that ends before it begins, its beginning is in the set. */
function rangeOf(from: string, to = from): string {
  return from < to ? `${literal(from)}-${literal(to)}` : literal(from);
}

const namedSets = new Map([
  ['alnum', '0-9A-Za-z'],
  ['alpha', 'A-Za-z'],
  ['blank', ' \\t'],
  ['cntrl', '\\x00-\\x1f\\x7f'],
  ['digit', '0-9'],
  ['graph', '\\x21-\\x7e'],
  ['lower', 'a-z'],
  ['print', '\\x20-\\x7e'],
  ['punct', '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e'],
  ['space', '\\t-\\r '],
  ['upper', 'A-Z'],
  ['xdigit', '0-9A-Fa-f'],
]);

function literal(character: string): string {
  return /\w/.test(character) ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

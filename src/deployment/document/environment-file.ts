import { type InterpolationProblem, interpolate, type Variables } from './interpolate.ts';

/** What is wrong in which line, for callers that know the file. */
export class EnvironmentFileProblem extends Error {
  readonly line: number;

  constructor(message: string, line: number, options?: { cause: InterpolationProblem }) {
    super(message, options);
    this.line = line;
  }
}

/**
 * Reads a `.env` file as Compose does: `NAME=value` lines, optionally after `export`; `#` comments; 'single quotes' are
 * literal, "double quotes" know \n \r \t \" \\ and \$; both may span lines. Unquoted and double-quoted values may use
 * variables, of earlier lines too; `outer` goes first. A name without `=` takes the value of `outer`, if it has one.
 *
 * @throws EnvironmentFileProblem
 */
export function parseEnvironmentFile(text: string, outer: Variables): Record<string, string> {
  const values: Record<string, string> = {};
  const variables: Variables = (name) => outer(name) ?? values[name];
  for (const assignment of assignments(text.replaceAll('\r\n', '\n'))) {
    const value = valueOfAssignment(assignment, variables);
    if (value !== undefined) values[assignment.name] = value;
  }
  return values;
}

interface Assignment {
  name: string;
  /** As written, without comment and surrounding blanks; `undefined` without `=`. */
  raw: string | undefined;
  quote: '"' | "'" | '';
  line: number;
}

const blankOrComment = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const nameAndSign = /[ \t]*(?:export[ \t]+)?([^\s=:#'"]+)[ \t]*(=[ \t]*)?/y;
const values = {
  '"': /"((?:[^"\\]|\\[\s\S])*)"[ \t]*(?:#[^\n]*)?(?:\n|$)/y,
  "'": /'([^']*)'[ \t]*(?:#[^\n]*)?(?:\n|$)/y,
  '': /((?:[^\n#]|(?<=[^ \t\n=])#)*)(?:#[^\n]*)?(?:\n|$)/y,
};

function* assignments(text: string): Generator<Assignment> {
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < text.length) {
    if (take(blankOrComment) !== null) continue;
    const line = text.slice(0, at).split('\n').length;
    const name = take(nameAndSign);
    if (name === null) throw new EnvironmentFileProblem('a line must be NAME=value', line);
    const first = text[at];
    const quote = name[2] !== undefined && (first === '"' || first === "'") ? first : '';
    const value = take(values[quote]);
    if (value === null) throw new EnvironmentFileProblem(`the quotes of ${name[1]} do not match`, line);
    const raw = quote === '' ? (value[1] ?? '').trimEnd() : value[1];
    if (name[2] === undefined && raw !== '')
      throw new EnvironmentFileProblem('a line must be NAME=value', line);
    yield { name: name[1] ?? '', raw: name[2] === undefined ? undefined : raw, quote, line };
  }
}

function valueOfAssignment({ name, raw, quote, line }: Assignment, variables: Variables): string | undefined {
  if (raw === undefined) return variables(name);
  if (quote === "'") return raw;
  try {
    return interpolate(quote === '"' ? unescaped(raw) : raw, variables);
  } catch (problem) {
    const cause = problem as InterpolationProblem;
    throw new EnvironmentFileProblem(cause.message, line, { cause });
  }
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', $: '$$' };

function unescaped(raw: string): string {
  return raw.replace(/\\([\s\S])/g, (whole, character: string) => {
    return escapes[character] ?? (character === '"' || character === '\\' ? character : whole);
  });
}

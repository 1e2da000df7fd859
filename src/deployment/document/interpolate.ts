/** Values by name; `undefined` means not set. */
export type Variables = (name: string) => string | undefined;

/** What is wrong with a template or a variable it needs, for callers that know file and line. */
export class InterpolationProblem extends Error {
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

/**
 * Replaces `$NAME` and `${NAME}` as the Compose Specification does (chapter Interpolation): `:-` and `-` give a
 * default, `:+` and `+` a replacement, `:?` and `?` demand a value, with the colon also where it is empty; the word
 * behind the operator may hold variables itself. `$$` is a dollar sign. Stricter than Compose in one point: a variable
 * that is not set and has no default is an error instead of an empty string, for cron's environment is not the
 * operator's.
 *
 * @throws InterpolationProblem
 */
export function interpolate(template: string, variables: Variables): string {
  let result = '';
  let at = 0;
  while (at < template.length) {
    const dollar = template.indexOf('$', at);
    if (dollar === -1) return result + template.slice(at);
    result += template.slice(at, dollar);
    const piece = substitute(template, dollar, variables);
    result += piece.value;
    at = piece.end;
  }
  return result;
}

interface Piece {
  value: string;
  /** Index of the first character behind it. */
  end: number;
}

function substitute(template: string, dollar: number, variables: Variables): Piece {
  const next = template[dollar + 1];
  if (next === '$') return { value: '$', end: dollar + 2 };
  if (next === '{') {
    const close = closingBrace(template, dollar + 2);
    return { value: expand(template.slice(dollar + 2, close), variables), end: close + 1 };
  }
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(template.slice(dollar + 1))?.[0];
  if (name === undefined) throw malformed();
  return { value: required(name, variables), end: dollar + 1 + name.length };
}

/** The brace that ends the expression begun before `start`; expressions inside it have braces of their own. */
function closingBrace(template: string, start: number): number {
  let depth = 1;
  for (let at = start; at < template.length; at++) {
    if (template[at] === '$' && template[at + 1] === '$') at++;
    else if (template[at] === '$' && template[at + 1] === '{') depth++;
    else if (template[at] === '}' && --depth === 0) return at;
  }
  throw malformed();
}

function expand(expression: string, variables: Variables): string {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?)([-?+])([\s\S]*))?$/.exec(expression);
  if (match === null) throw malformed();
  const [, name = '', colon, operator, word = ''] = match;
  if (operator === undefined) return required(name, variables);
  const value = variables(name);
  const counts = value !== undefined && (colon === '' || value !== '');
  if (operator === '+') return counts ? interpolate(word, variables) : '';
  if (counts) return value;
  if (operator === '-') return interpolate(word, variables);
  const reason = interpolate(word, variables) || (value === undefined ? 'it is not set' : 'it is empty');
  throw new InterpolationProblem(`the variable ${name} is required: ${reason}`, setIt(name));
}

function required(name: string, variables: Variables): string {
  const value = variables(name);
  if (value !== undefined) return value;
  throw new InterpolationProblem(
    `the variable ${name} is not set`,
    `${setIt(name)}; \${${name}:-} stands for nothing when it is not set`,
  );
}

function setIt(name: string): string {
  return name === 'RELEASE'
    ? 'Name the release in x-dockerctl.release or with --release'
    : `Set ${name} in the environment or in the file .env beside the deployment file`;
}

/** Does not show the template: it may hold a password. */
function malformed(): InterpolationProblem {
  return new InterpolationProblem(
    'a dollar sign begins no variable',
    `Write $$ for a dollar sign, $NAME or \${NAME} for a variable`,
  );
}

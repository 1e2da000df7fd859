import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EnvironmentFileProblem,
  parseEnvironmentFile,
} from '../../../src/deployment/document/environment-file.ts';

function parse(text: string, outer: Record<string, string> = {}) {
  return parseEnvironmentFile(text, (name) => outer[name]);
}

test('names and values, comments, blank lines and export', () => {
  const text = '# first\n\nA=1\n  B = two words # a comment\nexport C=3\nD=\nE=a#b\r\nF= # only a comment\n';
  assert.equal(parse(text), { A: '1', B: 'two words', C: '3', D: '', E: 'a#b', F: '' });
});

test('single quotes are literal and double quotes know escapes', () => {
  const text = `A='$HOME \\n # x' # comment\nB="a\\tb\\n\\"c\\" \\\\ \\$X" # comment\nC="two\nlines"\nD=it's`;
  assert.equal(parse(text), { A: '$HOME \\n # x', B: 'a\tb\n"c" \\ $X', C: 'two\nlines', D: "it's" });
});

test('variables come from outside first and from earlier lines second', () => {
  const text = 'A=1\nB=${A}-$OUTER\nC="${NONE:-d}"\nA=2\nD=$A';
  assert.equal(parse(text, { OUTER: 'o' }), { A: '2', B: '1-o', C: 'd', D: '2' });
  assert.is(parse('A=1\nB=$A', { A: 'outer' }).B, 'outer');
});

test('a name alone takes the value from outside', () => {
  assert.equal(parse('A\nB\n', { A: 'x' }), { A: 'x' });
});

for (const [text, line] of [
  ['A=1\nB="open\n', 2],
  ["A='x' y", 1],
  ['A=1\n\nnot a line', 3],
  ['=x', 1],
  ['A=1\nB=$NONE', 2],
] as const) {
  test(`${JSON.stringify(text)} is refused with its line`, () => {
    assert.throws(
      () => parse(text),
      (error: unknown) => error instanceof EnvironmentFileProblem && error.line === line,
    );
  });
}

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InterpolationProblem, interpolate } from '../../../src/deployment/document/interpolate.ts';

const values: Record<string, string> = { A: 'a', EMPTY: '', _B1: 'b', lower: 'l' };

function fill(template: string): string {
  return interpolate(template, (name) => values[name]);
}

const cases: [template: string, result: string][] = [
  ['', ''],
  ['plain', 'plain'],
  ['$A', 'a'],
  ['${A}', 'a'],
  ['x-$A-${_B1}.y', 'x-a-b.y'],
  ['$lower$A', 'la'],
  ['$EMPTY.', '.'],
  ['$$A', '$A'],
  ['$$$A', '$a'],
  ['a$$', 'a$'],
  ['${A:-d}', 'a'],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY-d}', ''],
  ['${NONE:-d}', 'd'],
  ['${NONE-d}', 'd'],
  ['${NONE:-}', ''],
  ['${NONE:-a}b}', 'ab}'],
  ['${NONE:-http://x:1/?y=z}', 'http://x:1/?y=z'],
  ['${NONE:-${A}}', 'a'],
  ['${NONE:-${OTHER:-${A}-x}}y', 'a-xy'],
  ['${NONE:-$$}', '$'],
  ['${A:+r}', 'r'],
  ['${EMPTY:+r}', ''],
  ['${EMPTY+r}', 'r'],
  ['${NONE:+r}', ''],
  ['${NONE+r}', ''],
  ['${A:+x${_B1}}', 'xb'],
  ['${A:?must be set}', 'a'],
  ['${EMPTY?must be set}', ''],
  ['${NONE:-line\nbreak}', 'line\nbreak'],
];

for (const [template, result] of cases) {
  test(`${JSON.stringify(template)} becomes ${JSON.stringify(result)}`, () => {
    assert.is(fill(template), result);
  });
}

const failures: [template: string, message: RegExp][] = [
  ['${NONE:?set it in .env}', /^the variable NONE is required: set it in \.env$/],
  ['${EMPTY:?}', /^the variable EMPTY is required: it is empty$/],
  ['${NONE?}', /^the variable NONE is required: it is not set$/],
  ['$NONE', /^the variable NONE is not set$/],
  ['${NONE}', /^the variable NONE is not set$/],
  ['$', /begins no variable/],
  ['a$ b', /begins no variable/],
  ['$1', /begins no variable/],
  ['${', /begins no variable/],
  ['${A', /begins no variable/],
  ['${}', /begins no variable/],
  ['${A!b}', /begins no variable/],
  ['${NONE:-${A}', /begins no variable/],
];

for (const [template, message] of failures) {
  test(`${JSON.stringify(template)} is refused`, () => {
    assert.throws(
      () => fill(template),
      (error: unknown) => error instanceof InterpolationProblem && message.test(error.message),
    );
  });
}

test('what is around a dollar sign, which may be a password, is not shown', () => {
  try {
    fill('pa$$w0rd$!secret');
    assert.unreachable();
  } catch (error) {
    assert.not.match(String(error), 'secret');
  }
});

test.run();
